/** The mark that every page of a fictional city bears; to who is inside, it leads to the page that explains it. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useSession } from "../session/questions";

export function GeneratedMark({ outside }: { outside?: boolean }) {
  const { t } = useTranslation();
  if (!useSession().data?.generated) return null;
  const told = t("about.generated");
  const mark = t("about.mark");
  if (outside) return <p className="badge warn">{told}</p>;
  return (
    <Link to="/about" className="badge warn generated-mark" title={told} aria-label={`${mark}: ${told}`}>
      {mark}
    </Link>
  );
}
