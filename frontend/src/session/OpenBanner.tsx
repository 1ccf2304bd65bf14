/** What every page says in open mode, and the choice of whom to act as. */
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Check, DoorOpen, UserRound } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { Dialog } from "../design/Dialog";
import { More } from "../design/More";
import { SearchField } from "../design/SearchField";
import { Empty, Waiting } from "../design/States";
import { say } from "../words";
import { actAs, type Duty, type Person, useSession } from "./questions";

const ROLES = [
  "system_administrator",
  "security_administrator",
  "auditor",
  "department_head",
  "staff",
  "operator",
  "grid_officer",
  "evaluator",
  "citizen",
];

export function OpenBanner() {
  const { t } = useTranslation();
  const session = useSession();
  const [choosing, setChoosing] = useState(false);
  if (!session.data?.open) return null;
  const { person, name, duties } = session.data;
  return (
    <>
      <aside className="open-banner" aria-label={t("open.name")}>
        <DoorOpen aria-hidden />
        <p>
          <b>{t("open.name")}</b>
          <span className="open-more">{t("open.lead")}</span>
        </p>
        <button type="button" className="button" onClick={() => setChoosing(true)}>
          <UserRound aria-hidden />
          <span>{person ? t("open.acting", { name }) : t("open.choose")}</span>
          {duties[0] && <span className="badge accent">{say(duties[0].title)}</span>}
        </button>
      </aside>
      {choosing && <ActAs close={() => setChoosing(false)} />}
    </>
  );
}

function ActAs({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const session = useSession();
  const [search, setSearch] = useState("");
  const [role, setRole] = useState("");
  const asked = useDeferredValue(search);
  const found = useInfiniteQuery({
    queryKey: ["acting", asked, role],
    queryFn: ({ signal, pageParam }) =>
      askJson<{ people: Person[]; after: string | null }>("/api/session/acting/people", {
        query: { search: asked, role, after: pageParam },
        signal,
      }),
    initialPageParam: "",
    getNextPageParam: (page) => page.after ?? undefined,
    placeholderData: keepPreviousData,
  });
  const people = found.data?.pages.flatMap((page) => page.people) ?? [];
  const now = session.data?.person ?? null;
  return (
    <Dialog title={t("open.title")} close={close}>
      <p className="small quiet">{t("open.hint")}</p>
      <div className="act-search">
        <SearchField label={t("people.search")} value={search} most={80} set={setSearch} />
        <select className="choice" aria-label={t("people.role")} value={role} onChange={(event) => setRole(event.target.value)}>
          <option value="">{t("people.anyRole")}</option>
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {t(`roles.${one}`)}
            </option>
          ))}
        </select>
      </div>
      <ul className="act-list">
        {!search && !role && (
          <li>
            <button type="button" aria-pressed={now === null} onClick={() => void actAs(null)}>
              <span>
                <b>{t("open.local")}</b>
                <span className="small quiet">{t("open.localLead")}</span>
              </span>
              {now === null && <Check aria-hidden />}
            </button>
          </li>
        )}
        {people.map((person) => (
          <li key={person.id}>
            <button type="button" aria-pressed={now === person.id} onClick={() => void actAs(person.id)}>
              <span>
                <b>{person.name}</b> <span className="code small quiet">{person.login}</span>
                <Duties duties={person.duties} />
              </span>
              {now === person.id && <Check aria-hidden />}
            </button>
          </li>
        ))}
      </ul>
      <Waiting of={found} lines={4} compact />
      {found.isSuccess && people.length === 0 && <Empty title={t("open.nobody")} compact />}
      <More of={found} />
    </Dialog>
  );
}

export function Duties({ duties }: { duties: Duty[] }) {
  const { t } = useTranslation();
  if (!duties.length) return <span className="small quiet duties">{t("people.noRole")}</span>;
  return (
    <span className="duties">
      {duties.map((duty) => (
        <span key={`${duty.role}@${duty.department}`} className="badge">
          {say(duty.title)}
          {duty.department_title && <span className="quiet">{duty.department_title}</span>}
        </span>
      ))}
    </span>
  );
}
