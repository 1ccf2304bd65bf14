/** The policies: what is in force, what was, and what a person may see. */
import { useTranslation } from "react-i18next";
import { NavLink, Route, Routes } from "react-router";
import { Tabs } from "../design/Tabs";
import { Editor } from "./Editor";
import { Explain } from "./Explain";
import "./policies.css";
import { Versions } from "./Versions";

export default function PoliciesPage() {
  const { t } = useTranslation();
  return (
    <div className="page">
      <header>
        <h1>{t("policies.name")}</h1>
        <p className="lead">{t("policies.lead")}</p>
      </header>
      <Tabs label={t("policies.name")}>
        <NavLink to="/policies" end>
          {t("policies.inForce")}
        </NavLink>
        <NavLink to="/policies/versions">{t("policies.versions")}</NavLink>
        <NavLink to="/policies/who">{t("policies.who")}</NavLink>
      </Tabs>
      <Routes>
        <Route index element={<Editor />} />
        <Route path="versions" element={<Versions />} />
        <Route path="who" element={<Explain />} />
      </Routes>
    </div>
  );
}
