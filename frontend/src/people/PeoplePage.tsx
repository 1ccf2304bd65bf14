/** People and departments: who there is, who holds what, and who may change it. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { NavLink, Navigate, Route, Routes } from "react-router";
import { Tabs } from "../design/Tabs";
import { askJson } from "../api/client";
import { useMay } from "../session/questions";
import type { Text } from "../words";
import { Departments } from "./Departments";
import { PeopleList } from "./PeopleList";
import "./people.css";
import { PersonPage } from "./PersonPage";

export type Role = { name: string; title: Text; separated: boolean };
export type Roles = { roles: Role[]; appointed: boolean };

export function useRoles() {
  return useQuery({ queryKey: ["roles"], queryFn: ({ signal }) => askJson<Roles>("/api/roles", { signal }) });
}

export default function PeoplePage() {
  return (
    <Routes>
      <Route index element={<Page><PeopleList /></Page>} />
      <Route path="departments" element={<Page><Departments /></Page>} />
      <Route path="separation" element={<Page><Separation /></Page>} />
      <Route path="person/:id" element={<PersonPage />} />
      <Route path="*" element={<Navigate to="/people" replace />} />
    </Routes>
  );
}

function Page({ children }: { children: React.ReactNode }) {
  const { t } = useTranslation();
  return (
    <div className="page">
      <header>
        <h1>{t("people.title")}</h1>
        <p className="lead">{t("people.lead")}</p>
      </header>
      <Tabs label={t("people.title")}>
        <NavLink to="/people" end>
          {t("people.people")}
        </NavLink>
        <NavLink to="/people/departments">{t("people.departments")}</NavLink>
        <NavLink to="/people/separation">{t("people.separation")}</NavLink>
      </Tabs>
      {children}
    </div>
  );
}

const THREE = ["system_administrator", "security_administrator", "auditor"] as const;

function Separation() {
  const { t } = useTranslation();
  const roles = useRoles();
  const appoints = useMay("roles.appoint");
  return (
    <>
      <p className="lead">{t("separation.lead")}</p>
      {roles.data && !roles.data.appointed && (
        <p className="notice warn">{t(appoints ? "separation.appoint" : "separation.unappointed")}</p>
      )}
      <div className="three">
        {THREE.map((role) => (
          <section key={role} className="card part" aria-labelledby={role}>
            <h2 id={role}>{t(`roles.${role}`)}</h2>
            <p>{t(`separation.does.${role}`)}</p>
            <p className="quiet">{t(`separation.not.${role}`)}</p>
            <NavLink to={`/people?role=${role}`}>{t("separation.who")}</NavLink>
          </section>
        ))}
      </div>
      <ul className="rules">
        {(["one", "self", "last", "reset", "pending"] as const).map((rule) => (
          <li key={rule}>{t(`separation.rules.${rule}`)}</li>
        ))}
      </ul>
    </>
  );
}
