/** What the rooms of administration share: handing in a table, leafing, departments and people. */
import { useQuery } from "@tanstack/react-query";
import { FileUp } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson, problemOf } from "../../api/client";
import { Fault } from "../../design/Form";
import { languageNow } from "../../words";
import type { Named } from "../questions";

/** Sends a file as the body of a request; `told` is said with the answer. */
export function TableFile<T>({ address, method, label, accept, taken }: {
  address: string;
  method: "POST" | "PUT";
  label: string;
  accept: string;
  taken: (answer: T) => string | void;
}) {
  const { t } = useTranslation();
  const id = useId();
  const [error, setError] = useState<unknown>();
  const [said, setSaid] = useState("");
  const send = async (file: File | undefined) => {
    if (!file) return;
    setError(undefined);
    setSaid(t("cases.photo.sending"));
    try {
      const answer = await fetch(`${address}${address.includes("?") ? "&" : "?"}${new URLSearchParams({ name: file.name })}`, {
        method,
        headers: { "Content-Type": "application/octet-stream", "Accept-Language": languageNow() === "en" ? "en" : "zh-CN" },
        body: file,
      });
      if (!answer.ok) throw await problemOf(answer);
      setSaid(taken((await answer.json()) as T) ?? "");
    } catch (fault) {
      setSaid("");
      setError(fault);
    }
  };
  return (
    <>
      <div className="photo-add">
        <label htmlFor={id} className="button">
          <FileUp aria-hidden />
          {label}
        </label>
        <input
          id={id}
          type="file"
          className="hidden-visually"
          accept={accept}
          onChange={(event) => {
            void send(event.target.files?.[0]);
            event.target.value = "";
          }}
        />
      </div>
      <span role="status" className="small">
        {said}
      </span>
      <Fault error={error} />
    </>
  );
}

/** Leafing onwards by a mark, and back to the beginning. */
export function Leaf({ begun, next, go }: { begun: boolean; next: string | number | null; go: (after: string | number | null) => void }) {
  const { t } = useTranslation();
  if (!begun && next === null) return null;
  return (
    <div className="pages">
      <button type="button" className="button" disabled={!begun} onClick={() => go(null)}>
        {t("cases.administration.first")}
      </button>
      <button type="button" className="button" disabled={next === null} onClick={() => go(next)}>
        {t("cases.next")}
      </button>
    </div>
  );
}

/** A person of a department, or nobody. */
export function DutyPerson({ department, value, pick }: { department: string; value: string; pick: (person: string) => void }) {
  const { t } = useTranslation();
  const id = useId();
  const found = useQuery({
    queryKey: ["duty-people", department],
    queryFn: ({ signal }) => askJson<Named[]>("/api/cases/duties/people", { query: { department }, signal }),
    enabled: department !== "",
  });
  return (
    <div className="input">
      <label htmlFor={id}>{t("cases.administration.duties.person")}</label>
      <select id={id} className="choice" value={value} disabled={!department} onChange={(event) => pick(event.target.value)}>
        <option value="">{t("cases.administration.duties.whole")}</option>
        {found.data?.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Head({ room, children }: { room: string; children?: ReactNode }) {
  const { t } = useTranslation();
  return (
    <>
      <h2>{t(`cases.administration.${room}.name`)}</h2>
      <p className="small quiet">{t(`cases.administration.${room}.lead`)}</p>
      {children}
    </>
  );
}
