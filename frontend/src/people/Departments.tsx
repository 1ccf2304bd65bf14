/** The departments as a tree that opens branch by branch, or as what a search finds. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronRight, FolderPlus, Pencil, Users } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { ask, askJson } from "../api/client";
import { Dialog } from "../design/Dialog";
import { Fault, Form, Input } from "../design/Form";
import { More } from "../design/More";
import { SearchField } from "../design/SearchField";
import { Empty, Failure, Loading, Waiting } from "../design/States";
import { useMay } from "../session/questions";
import { count } from "../words";
import { DepartmentPicker, type DepartmentPage, type DepartmentRow } from "./DepartmentPicker";

type Detail = { code: string; title: string; parent: string | null; path: { code: string; title: string }[] };
type Editing = { kind: "add"; parent: DepartmentRow | null } | { kind: "change"; department: DepartmentRow };

export function Departments() {
  const { t } = useTranslation();
  const manages = useMay("people.manage");
  const [search, setSearch] = useState("");
  const [editing, setEditing] = useState<Editing>();
  const asked = useDeferredValue(search.trim());
  return (
    <>
      <div className="people-tools">
        <SearchField label={t("departments.search")} value={search} most={80} set={setSearch} />
        {manages && (
          <button type="button" className="button primary" onClick={() => setEditing({ kind: "add", parent: null })}>
            <FolderPlus aria-hidden />
            {t("departments.add")}
          </button>
        )}
      </div>
      <div className="card tree">
        <Branch search={asked} edit={manages ? setEditing : undefined} />
      </div>
      {editing && (
        <Dialog title={t(editing.kind === "add" ? "departments.add" : "departments.change")} close={() => setEditing(undefined)}>
          {editing.kind === "add" ? (
            <Add parent={editing.parent} close={() => setEditing(undefined)} />
          ) : (
            <Change department={editing.department} close={() => setEditing(undefined)} />
          )}
        </Dialog>
      )}
    </>
  );
}

type EditProps = { edit?: (editing: Editing) => void };

function Branch({ parent, search = "", edit }: { parent?: string; search?: string } & EditProps) {
  const { t } = useTranslation();
  const found = useInfiniteQuery({
    queryKey: ["departments", parent ?? "", search],
    queryFn: ({ signal, pageParam }) =>
      askJson<DepartmentPage>("/api/departments", { query: { parent, search, after: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.after ?? undefined,
  });
  const departments = found.data?.pages.flatMap((page) => page.departments) ?? [];
  if (!found.data) return <Waiting of={found} lines={3} compact />;
  if (!departments.length) return <Empty title={t(search ? "departments.noneFound" : "departments.none")} compact />;
  return (
    <>
      <ul className="tree-list">
        {departments.map((department) => (
          <Node key={department.code} department={department} flat={search !== ""} edit={edit} />
        ))}
      </ul>
      <More of={found} />
    </>
  );
}

function Node({ department, flat, edit }: { department: DepartmentRow; flat: boolean } & EditProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(department.parent === null && department.below > 0);
  const opens = !flat && department.below > 0;
  return (
    <li>
      <div className="tree-row">
        {opens ? (
          <button
            type="button"
            className="icon-button"
            aria-expanded={open}
            aria-label={t("departments.open", { title: department.title })}
            onClick={() => setOpen(!open)}
          >
            <ChevronRight aria-hidden />
          </button>
        ) : (
          <span className="tree-leaf" />
        )}
        <div className="tree-name">
          <span>{department.title}</span>
          <code className="small quiet">{department.code}</code>
        </div>
        {department.people > 0 && (
          <Link
            className="badge"
            to={`/people?department=${department.code}`}
            aria-label={t("departments.peopleOf", { title: department.title, count: department.people })}
          >
            <Users aria-hidden />
            {count(department.people)}
          </Link>
        )}
        {edit && (
          <>
            <button
              type="button"
              className="icon-button"
              aria-label={t("departments.addBelow", { title: department.title })}
              title={t("departments.addBelow", { title: department.title })}
              onClick={() => edit({ kind: "add", parent: department })}
            >
              <FolderPlus aria-hidden />
            </button>
            <button
              type="button"
              className="icon-button"
              aria-label={t("departments.changeOf", { title: department.title })}
              title={t("departments.changeOf", { title: department.title })}
              onClick={() => edit({ kind: "change", department })}
            >
              <Pencil aria-hidden />
            </button>
          </>
        )}
      </div>
      {opens && open && <Branch parent={department.code} edit={edit} />}
    </li>
  );
}

function useChanged(close: () => void) {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: ["departments"] });
    void client.invalidateQueries({ queryKey: ["department"] });
    close();
  };
}

function Add({ parent, close }: { parent: DepartmentRow | null; close: () => void }) {
  const { t } = useTranslation();
  const changed = useChanged(close);
  const [code, setCode] = useState("");
  const [title, setTitle] = useState("");
  const [above, setAbove] = useState<{ code: string; title: string } | null>(parent);
  const send = () =>
    askJson<Detail>("/api/departments", { method: "POST", body: { code, title, parent: above?.code ?? null } });
  return (
    <Form send={send} done={changed} action={t("departments.add")}>
      <Input
        label={t("departments.code")}
        hint={t("departments.codeHint")}
        value={code}
        onChange={(event) => setCode(event.target.value)}
        maxLength={18}
        minLength={18}
        autoComplete="off"
        spellCheck={false}
        className="code"
        required
        autoFocus
      />
      <Input
        label={t("departments.title")}
        value={title}
        onChange={(event) => setTitle(event.target.value)}
        maxLength={200}
        autoComplete="off"
        required
      />
      <DepartmentPicker label={t("departments.parent")} none={t("departments.top")} value={above} pick={setAbove} />
    </Form>
  );
}

function Change({ department, close }: { department: DepartmentRow; close: () => void }) {
  const detail = useQuery({
    queryKey: ["department", department.code],
    queryFn: ({ signal }) => askJson<Detail>(`/api/departments/${department.code}`, { signal }),
  });
  if (detail.isPending) return <Loading lines={3} />;
  if (!detail.data) return <Failure error={detail.error} compact />;
  return <ChangeKnown detail={detail.data} close={close} />;
}

function ChangeKnown({ detail, close }: { detail: Detail; close: () => void }) {
  const { t } = useTranslation();
  const changed = useChanged(close);
  const [title, setTitle] = useState(detail.title);
  const [above, setAbove] = useState<{ code: string; title: string } | null>(detail.path.at(-2) ?? null);
  const address = `/api/departments/${detail.code}`;
  const send = () => askJson<Detail>(address, { method: "PUT", body: { title, parent: above?.code ?? null } });
  const closing = useMutation({ mutationFn: () => ask(address, { method: "DELETE" }), onSuccess: changed });
  return (
    <>
      <p className="small quiet">{detail.path.map((one) => one.title).join(" › ")}</p>
      <Form
        send={send}
        done={changed}
        action={t("form.save")}
        extra={
          <button type="button" className="button danger" disabled={closing.isPending} onClick={() => closing.mutate()}>
            {t("departments.close")}
          </button>
        }
      >
        <Input
          label={t("departments.title")}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
          maxLength={200}
          autoComplete="off"
          required
        />
        <DepartmentPicker label={t("departments.parent")} none={t("departments.top")} value={above} pick={setAbove} />
        <Fault error={closing.error} />
      </Form>
    </>
  );
}
