/** The mark that every page of a fictional city bears; it leads to the page that explains it. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useCity } from "../api/questions";

export function GeneratedMark() {
  const { t } = useTranslation();
  const city = useCity();
  if (!city.data?.generated) return null;
  return (
    <Link to="/about" className="badge warn generated-mark" title={t("about.generated")} aria-label={t("about.generated")}>
      {t("about.mark")}
    </Link>
  );
}
