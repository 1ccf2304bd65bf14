/** One person: the roles held, and what administrators may do, each in the bounds of the own duty. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronLeft, ShieldCheck, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { ask, askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Dialog } from "../design/Dialog";
import { Fault, Form, Input } from "../design/Form";
import { Waiting } from "../design/States";
import { type Duty, type Person, useMay, useSession } from "../session/questions";
import { instant, say } from "../words";
import { instantOf } from "../words/days";
import { DepartmentPicker } from "./DepartmentPicker";
import { PersonState, type Setup, SetupLink } from "./PeopleList";
import { useRoles } from "./PeoplePage";

export function PersonPage() {
  const { t } = useTranslation();
  const id = useParams().id ?? "";
  const found = useQuery({
    queryKey: ["person", id],
    queryFn: ({ signal }) => askJson<Person>(`/api/people/${encodeURIComponent(id)}`, { signal }),
  });
  return (
    <div className="page narrow">
      <header>
        <Link to="/people" className="back small">
          <ChevronLeft aria-hidden />
          {t("people.people")}
        </Link>
        <h1>{found.data?.name ?? t("people.person")}</h1>
      </header>
      <Waiting of={found} lines={6} />
      {found.data && <Known person={found.data} />}
    </div>
  );
}

function Known({ person }: { person: Person }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const manages = useMay("people.manage");
  const changed = (now: Person) => {
    client.setQueryData(["person", person.id], now);
    void client.invalidateQueries({ queryKey: ["people"] });
    void client.invalidateQueries({ queryKey: ["roles"] });
  };
  return (
    <>
      <dl className="facts">
        <dt>{t("session.login")}</dt>
        <dd className="code">{person.login}</dd>
        <dt>{t("people.state")}</dt>
        <dd>
          <PersonState person={person} />
        </dd>
      </dl>
      <Roles person={person} changed={changed} />
      {manages && <Manage person={person} changed={changed} />}
    </>
  );
}

function Roles({ person, changed }: { person: Person; changed: (now: Person) => void }) {
  const { t } = useTranslation();
  const gives = useMay("roles.manage");
  const appoints = useMay("roles.appoint");
  const roles = useRoles();
  const own = useSession().data?.person === person.id;
  const zone = useZone();
  const taking = useMutation({
    mutationFn: (duty: Duty) =>
      askJson<Person>(
        `/api/people/${person.id}/duties?${new URLSearchParams({ role: duty.role, department: duty.department })}`,
        { method: "DELETE" },
      ),
    onSuccess: changed,
  });
  const appointing = useMutation({
    mutationFn: () => askJson<Person>(`/api/people/${person.id}/appointment`, { method: "POST" }),
    onSuccess: changed,
  });
  return (
    <section className="card part" aria-labelledby="roles">
      <h2 id="roles">{t("people.roles")}</h2>
      {person.duties.length === 0 && <p className="quiet">{t("people.noRole")}</p>}
      <ul className="rows">
        {person.duties.map((duty) => (
          <li key={`${duty.role}@${duty.department}`}>
            <div>
              <b>{say(duty.title)}</b>
              <span className="small quiet">
                {duty.department_title || t("people.wholeCity")}
                {duty.until && ` · ${t("people.until", { time: instant(duty.until, zone, "minute") })}`}
                {duty.outside && ` · ${t("people.fromOutside")}`}
              </span>
            </div>
            {gives && !duty.outside && (
              <button
                type="button"
                className="button danger"
                disabled={taking.isPending}
                aria-label={t("people.takeOf", { role: say(duty.title) })}
                onClick={() => taking.mutate(duty)}
              >
                <Trash2 aria-hidden />
                {t("people.take")}
              </button>
            )}
          </li>
        ))}
      </ul>
      <Fault error={taking.error ?? appointing.error} />
      {gives && own && <p className="notice">{t("people.notOneself")}</p>}
      {gives && !own && <Give person={person} changed={changed} />}
      {appoints && roles.data?.appointed === false && !own && (
        <div className="part-more">
          <p className="notice warn">{t("separation.appoint")}</p>
          <div className="form-actions">
            <button type="button" className="button primary" disabled={appointing.isPending} onClick={() => appointing.mutate()}>
              <ShieldCheck aria-hidden />
              {t("people.appoint")}
            </button>
          </div>
        </div>
      )}
      {!gives && <p className="small quiet">{t("people.whoGives")}</p>}
    </section>
  );
}

function Give({ person, changed }: { person: Person; changed: (now: Person) => void }) {
  const { t } = useTranslation();
  const zone = useZone();
  const roles = useRoles();
  const [role, setRole] = useState("staff");
  const [department, setDepartment] = useState<{ code: string; title: string } | null>(null);
  const [until, setUntil] = useState("");
  const separated = roles.data?.roles.find((one) => one.name === role)?.separated ?? false;
  const send = () =>
    askJson<Person>(`/api/people/${person.id}/duties`, {
      method: "POST",
      body: {
        role,
        department: separated ? "" : (department?.code ?? ""),
        until: until ? instantOf(`${until}T23:59`, zone) : null,
      },
    });
  return (
    <Form send={send} done={changed} action={t("people.give")}>
      <div className="input">
        <label htmlFor="role">{t("people.role")}</label>
        <select id="role" className="choice" value={role} onChange={(event) => setRole(event.target.value)}>
          {roles.data?.roles.map((one) => (
            <option key={one.name} value={one.name}>
              {say(one.title)}
            </option>
          ))}
        </select>
      </div>
      {separated ? (
        <p className="notice">{t("people.separatedRole")}</p>
      ) : (
        <DepartmentPicker label={t("people.department")} none={t("people.wholeCity")} value={department} pick={setDepartment} />
      )}
      <Input
        label={t("people.untilDay")}
        hint={t("people.untilHint")}
        type="date"
        value={until}
        onChange={(event) => setUntil(event.target.value)}
      />
    </Form>
  );
}

function Manage({ person, changed }: { person: Person; changed: (now: Person) => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState(person.name);
  const [setup, setSetup] = useState<Setup>();
  const address = `/api/people/${person.id}`;
  const patch = (body: { name?: string; disabled?: boolean }) => askJson<Person>(address, { method: "PATCH", body });
  const doing = useMutation({
    mutationFn: async (what: "disable" | "enable" | "code" | "factor") => {
      if (what === "code") {
        const made = await askJson<Setup>(`${address}/setup-code`, { method: "POST" });
        setSetup(made);
        return made.person;
      }
      if (what === "factor") {
        await ask(`${address}/second-factor`, { method: "DELETE" });
        return askJson<Person>(address);
      }
      return patch({ disabled: what === "disable" });
    },
    onSuccess: changed,
  });
  return (
    <section className="card part" aria-labelledby="manage">
      <h2 id="manage">{t("people.manage")}</h2>
      {person.separated && <p className="notice">{t("people.separatedPerson")}</p>}
      <Form send={() => patch({ name })} done={changed} action={t("form.save")}>
        <Input
          label={t("people.personName")}
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={120}
          autoComplete="off"
          required
        />
      </Form>
      {!person.separated && (
        <div className="form-actions">
          {!person.from_outside && (
            <button type="button" className="button" disabled={doing.isPending} onClick={() => doing.mutate("code")}>
              {t("people.newCode")}
            </button>
          )}
          {person.has_second_factor && (
            <button type="button" className="button" disabled={doing.isPending} onClick={() => doing.mutate("factor")}>
              {t("people.removeFactor")}
            </button>
          )}
          <button
            type="button"
            className={person.disabled ? "button" : "button danger"}
            disabled={doing.isPending}
            onClick={() => doing.mutate(person.disabled ? "enable" : "disable")}
          >
            {person.disabled ? t("people.enable") : t("people.disable")}
          </button>
        </div>
      )}
      <Fault error={doing.error} />
      {setup && (
        <Dialog title={t("people.newCode")} close={() => setSetup(undefined)}>
          <SetupLink setup={setup} close={() => setSetup(undefined)} />
        </Dialog>
      )}
    </section>
  );
}

