/** What an event was done to: its page, where it has one, and all that happened to it. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

const PAGES: Record<string, (id: string) => string> = {
  dataset: (id) => `/data/${id}`,
  object: (id) => `/objects/${id}`,
  case: (id) => `/cases/${id}`,
};

export function Subject({ subject }: { subject: string | null }) {
  const { t } = useTranslation();
  if (subject === null) return <>{t("log.erased")}</>;
  const [kind, id] = subject.split("/");
  const page = id !== undefined ? PAGES[kind!]?.(id) : undefined;
  return (
    <span className="log-subject">
      {page ? <Link to={page}>{subject}</Link> : <code>{subject}</code>}{" "}
      <Link to={`/log?subject=${encodeURIComponent(subject)}`}>{t("log.follow")}</Link>
    </span>
  );
}
