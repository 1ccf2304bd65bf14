/** The people of the city: searched by name, role and department, a page at a time. */
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { UserPlus, X } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { askJson } from "../api/client";
import { Dialog } from "../design/Dialog";
import { Form, Input } from "../design/Form";
import { More } from "../design/More";
import { SearchField } from "../design/SearchField";
import { Secret } from "../design/Secret";
import { Empty, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { Duties } from "../session/OpenBanner";
import { type Person, useMay } from "../session/questions";
import { say } from "../words";
import { useRoles } from "./PeoplePage";

export type Setup = { person: Person; code: string };

/** The link by which a person sets a password; behind the # it reaches no server's log. */
export function setupLink(code: string): string {
  return `${location.origin}/set-up#${encodeURIComponent(code)}`;
}

export function PeopleList() {
  const { t } = useTranslation();
  const roles = useRoles();
  const manages = useMay("people.manage");
  const [parameters, setParameters] = useSearchParams();
  const [search, setSearch] = useState("");
  const [adding, setAdding] = useState(false);
  const asked = useDeferredValue(search);
  const role = parameters.get("role") ?? "";
  const department = parameters.get("department") ?? "";
  const set = (name: string, value: string) =>
    setParameters((now) => {
      if (value) now.set(name, value);
      else now.delete(name);
      return now;
    }, { replace: true });
  const found = useInfiniteQuery({
    queryKey: ["people", asked, role, department],
    queryFn: ({ signal, pageParam }) =>
      askJson<{ people: Person[]; after: string | null }>("/api/people", {
        query: { search: asked, role, department, after: pageParam },
        signal,
      }),
    initialPageParam: "",
    getNextPageParam: (page) => page.after ?? undefined,
    placeholderData: keepPreviousData,
  });
  const people = found.data?.pages.flatMap((page) => page.people) ?? [];
  return (
    <>
      <div className="people-tools">
        <SearchField label={t("people.search")} value={search} most={80} set={setSearch} />
        <select className="choice" aria-label={t("people.role")} value={role} onChange={(event) => set("role", event.target.value)}>
          <option value="">{t("people.anyRole")}</option>
          {roles.data?.roles.map((one) => (
            <option key={one.name} value={one.name}>
              {say(one.title)}
            </option>
          ))}
        </select>
        {department && <InDepartment code={department} clear={() => set("department", "")} />}
        {manages && (
          <button type="button" className="button primary" onClick={() => setAdding(true)}>
            <UserPlus aria-hidden />
            {t("people.add")}
          </button>
        )}
      </div>
      <Waiting of={found} lines={8} />
      {found.isSuccess && people.length === 0 && <Empty title={t("people.none")} />}
      {people.length > 0 && (
        <Table label={t("people.people")} className="people-table" head={[t("people.personName"), t("people.roles"), t("people.state")]}>
          <tbody>
            {people.map((person) => (
              <tr key={person.id}>
                <th scope="row">
                  <Link to={`/people/person/${person.id}`}>{person.name}</Link>
                  <span className="code small quiet block">{person.login}</span>
                </th>
                <td>
                  <Duties duties={person.duties} />
                </td>
                <td>
                  <PersonState person={person} />
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <More of={found} />
      {adding && <AddPerson close={() => setAdding(false)} />}
    </>
  );
}

export function PersonState({ person }: { person: Person }) {
  const { t } = useTranslation();
  if (person.disabled) return <span className="badge bad">{t("people.disabled")}</span>;
  if (person.from_outside) return <span className="badge">{t("people.outside")}</span>;
  if (!person.has_password) return <span className="badge warn">{t("people.noPassword")}</span>;
  return (
    <span className="duties">
      <span className="badge good">{t("people.active")}</span>
      {person.has_second_factor && <span className="badge">{t("people.secondFactor")}</span>}
    </span>
  );
}

function InDepartment({ code, clear }: { code: string; clear: () => void }) {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: ["department", code],
    queryFn: ({ signal }) => askJson<{ title: string }>(`/api/departments/${code}`, { signal }),
  });
  return (
    <button type="button" className="button" onClick={clear} aria-label={t("people.clearDepartment")}>
      {found.data?.title ?? code}
      <X aria-hidden />
    </button>
  );
}

function AddPerson({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [login, setLogin] = useState("");
  const [name, setName] = useState("");
  const [made, setMade] = useState<Setup>();
  const send = () => askJson<Setup>("/api/people", { method: "POST", body: { login, name } });
  const done = (answer: Setup) => {
    setMade(answer);
    void client.invalidateQueries({ queryKey: ["people"] });
  };
  return (
    <Dialog title={t("people.add")} close={close}>
      {made ? (
        <SetupLink setup={made} close={close} />
      ) : (
        <Form send={send} done={done} action={t("people.add")}>
          <Input
            label={t("session.login")}
            value={login}
            onChange={(event) => setLogin(event.target.value)}
            maxLength={120}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            required
            autoFocus
          />
          <Input
            label={t("people.personName")}
            value={name}
            onChange={(event) => setName(event.target.value)}
            maxLength={120}
            autoComplete="off"
            required
          />
        </Form>
      )}
    </Dialog>
  );
}

export function SetupLink({ setup, close }: { setup: Setup; close: () => void }) {
  const { t } = useTranslation();
  return (
    <>
      <p>{t("people.setup", { name: setup.person.name })}</p>
      <Secret value={setupLink(setup.code)} label={t("people.setupLink")} />
      <div className="form-actions">
        <Link className="button" to={`/people/person/${setup.person.id}`} onClick={close}>
          {t("people.toPerson")}
        </Link>
        <button type="button" className="button primary" onClick={close}>
          {t("form.done")}
        </button>
      </div>
    </>
  );
}
