/** Asks what the data is read for, where the policies show more to who says so. */
import { useQueryClient } from "@tanstack/react-query";
import { Target } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { statePurpose, usePurpose } from "../api/purpose";

export function Purpose() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const stated = usePurpose();
  const [typed, setTyped] = useState("");
  const state = (purpose: string) => {
    statePurpose(purpose);
    void client.invalidateQueries();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed.trim()) state(typed.trim());
  };
  if (stated) {
    return (
      <p className="notice" role="status">
        <Target aria-hidden />
        <span>
          {t("data.purpose.stated", { purpose: stated })}{" "}
          <button
            type="button"
            className="link-button"
            onClick={() => {
              setTyped(stated);
              state("");
            }}
          >
            {t("data.purpose.end")}
          </button>
        </span>
      </p>
    );
  }
  return (
    <form className="notice purpose" onSubmit={submit}>
      <Target aria-hidden />
      <label>
        <span>{t("data.purpose.ask")}</span>
        <span className="field">
          <input value={typed} maxLength={200} placeholder={t("data.purpose.hint")} onChange={(event) => setTyped(event.target.value)} />
        </span>
      </label>
      <button type="submit" className="button" disabled={!typed.trim()}>
        {t("data.purpose.state")}
      </button>
    </form>
  );
}
