/** The hotline (12345): the desk where calls are taken, what becomes of them, articles, rates, hot topics. */
import { useTranslation } from "react-i18next";
import { NavLink, Route, Routes } from "react-router";
import "../cases/cases.css";
import { Tabs } from "../design/Tabs";
import { useMay } from "../session/questions";
import { ArticlesPage } from "./ArticlesPage";
import { CallPage } from "./CallPage";
import { CallsPage } from "./CallsPage";
import { Desk } from "./Desk";
import "./hotline.css";
import { RatesPage } from "./RatesPage";
import { SettingsPage } from "./SettingsPage";
import { TopicsPage } from "./TopicsPage";

export default function HotlinePage() {
  const { t } = useTranslation();
  const takes = useMay("hotline.take");
  const counts = useMay("hotline.figures");
  const manages = useMay("hotline.manage");
  const calls = takes || counts;
  return (
    <div className="page wide hotline">
      <h1>{t("hotline.name")}</h1>
      <Tabs label={t("hotline.parts")}>
        {takes && <NavLink to="/hotline" end>{t("hotline.desk.name")}</NavLink>}
        {calls && <NavLink to="/hotline/calls">{t("hotline.calls.name")}</NavLink>}
        <NavLink to="/hotline/articles">{t("hotline.article.name")}</NavLink>
        {counts && <NavLink to="/hotline/rates">{t("hotline.rates.name")}</NavLink>}
        {counts && <NavLink to="/hotline/topics">{t("hotline.topics.name")}</NavLink>}
        {manages && <NavLink to="/hotline/settings">{t("hotline.settings.name")}</NavLink>}
      </Tabs>
      <Routes>
        <Route index element={takes ? <Desk /> : calls ? <CallsPage /> : <ArticlesPage />} />
        <Route path="calls" element={<CallsPage />} />
        <Route path="calls/:number" element={<CallPage />} />
        <Route path="articles" element={<ArticlesPage />} />
        <Route path="rates" element={<RatesPage />} />
        <Route path="topics" element={<TopicsPage />} />
        <Route path="settings" element={<SettingsPage />} />
      </Routes>
    </div>
  );
}
