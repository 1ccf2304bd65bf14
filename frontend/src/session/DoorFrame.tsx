/** The frame of the few pages before one is inside: the mark, the page's purpose, language and look. */
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { GeneratedMark } from "../about/GeneratedMark";
import { LanguageButton, ModeMenu } from "../app/tools";
import "./session.css";

export function DoorFrame({ title, children }: { title: string; children: ReactNode }) {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = `${title} · ${t("name")}`;
  }, [title, t]);
  return (
    <div className="door">
      <header className="door-tools">
        <LanguageButton />
        <ModeMenu below />
      </header>
      <main className="card door-card">
        <div className="door-head">
          <img src="/mark.svg" alt="" width="44" height="44" />
          <p className="quiet small">{t("name")}</p>
          <h1>{title}</h1>
          <GeneratedMark outside />
        </div>
        {children}
      </main>
    </div>
  );
}
