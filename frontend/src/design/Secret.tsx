/** Something that is shown this once, to be copied. */
import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

export function Secret({ value, label }: { value: string; label: string }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      setCopied(true);
    } catch {
      // without leave to copy one selects it by hand
    }
  };
  return (
    <div className="secret">
      <code aria-label={label}>{value}</code>
      <button type="button" className="button" onClick={() => void copy()}>
        {copied ? <Check aria-hidden /> : <Copy aria-hidden />}
        <span role="status">{copied ? t("copy.copied") : t("copy.copy")}</span>
      </button>
    </div>
  );
}
