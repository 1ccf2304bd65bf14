/** Grid city management for staff: inbox, dispatch, departments, supervision, evaluation, and one case. */
import { FilePlus2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, NavLink, Route, Routes } from "react-router";
import { Tabs } from "../design/Tabs";
import { useMay } from "../session/questions";
import { AdministrationPage } from "./administration/AdministrationPage";
import { CalendarPage } from "./CalendarPage";
import { CasePage } from "./CasePage";
import "./cases.css";
import { DepartmentQueue } from "./DepartmentQueue";
import { Dispatch } from "./Dispatch";
import { FiguresPage } from "./figures/FiguresPage";
import { Inbox } from "./Inbox";
import { Moderation } from "./Moderation";
import { NewCase } from "./NewCase";
import { useCaseNews } from "./questions";
import { RulesPage } from "./RulesPage";
import { Supervision } from "./Supervision";

export default function CasesPage() {
  useCaseNews();
  return (
    <Routes>
      <Route path="new" element={<NewCase />} />
      <Route index element={<WithTabs page={<Inbox />} />} />
      <Route path="dispatch" element={<WithTabs page={<Dispatch />} />} />
      <Route path="department" element={<WithTabs page={<DepartmentQueue />} />} />
      <Route path="supervision" element={<WithTabs page={<Supervision />} />} />
      <Route path="figures" element={<WithTabs page={<FiguresPage />} />} />
      <Route path="rules" element={<WithTabs page={<RulesPage />} />} />
      <Route path="calendar" element={<WithTabs page={<CalendarPage />} />} />
      <Route path="moderation" element={<WithTabs page={<Moderation />} />} />
      <Route path="administration/*" element={<WithTabs page={<AdministrationPage />} />} />
      <Route path=":number" element={<CasePage />} />
    </Routes>
  );
}

function WithTabs({ page }: { page: React.ReactNode }) {
  const { t } = useTranslation();
  const evaluates = useMay("case.figures");
  const manages = useMay("case.manage");
  const announces = useMay("case.announce");
  const bars = useMay("case.bar");
  return (
    <div className="page wide">
      <header className="cases-head">
        <h1>{t("cases.name")}</h1>
        <Link className="button primary" to="/cases/new">
          <FilePlus2 aria-hidden />
          {t("cases.report")}
        </Link>
      </header>
      <Tabs label={t("cases.desks")}>
        <NavLink to="/cases" end>
          {t("cases.inbox")}
        </NavLink>
        <NavLink to="/cases/dispatch">{t("cases.dispatch.name")}</NavLink>
        <NavLink to="/cases/department">{t("cases.department.name")}</NavLink>
        <NavLink to="/cases/supervision">{t("cases.supervision.name")}</NavLink>
        {evaluates && <NavLink to="/cases/figures">{t("cases.figures.name")}</NavLink>}
        <NavLink to="/cases/rules">{t("cases.rules.name")}</NavLink>
        <NavLink to="/cases/calendar">{t("cases.calendar.name")}</NavLink>
        {(announces || bars) && <NavLink to="/cases/moderation">{t("cases.moderation.name")}</NavLink>}
        {manages && <NavLink to="/cases/administration">{t("cases.administration.name")}</NavLink>}
      </Tabs>
      {page}
    </div>
  );
}
