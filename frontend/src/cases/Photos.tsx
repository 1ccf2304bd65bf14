/** Photographs: added to a step before it is taken, and shown as the case has them. */
import { ImagePlus, X } from "lucide-react";
import { useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { problemOf } from "../api/client";
import { Fault } from "../design/Form";
import { languageNow } from "../words";

const DIGEST = /^[0-9a-f]{64}$/;
const MOST = 20;

export function photosOf(data: Record<string, unknown>): string[] {
  const named: unknown[] = [data.before, data.photos].flatMap((one) => (Array.isArray(one) ? one : []));
  return named.filter((one): one is string => typeof one === "string" && DIGEST.test(one));
}

export function PhotoRow({ number, digests, says }: { number: string; digests: string[]; says: string }) {
  const { t } = useTranslation();
  if (digests.length === 0) return null;
  const address = (digest: string) => `/api/cases/${encodeURIComponent(number)}/photos/${digest}`;
  return (
    <ul className="photos">
      {digests.map((digest, at) => (
        <li key={digest}>
          <a href={address(digest)} target="_blank" rel="noreferrer">
            <img src={`${address(digest)}?form=small`} alt={t("cases.photo.alt", { says, n: at + 1 })} loading="lazy" />
          </a>
        </li>
      ))}
    </ul>
  );
}

/** Sends a photograph; returns the name by which a step names it. */
export async function upload(file: File): Promise<string> {
  const answer = await fetch("/api/cases/photos", {
    method: "POST",
    headers: {
      "Content-Type": file.type || "application/octet-stream",
      Accept: "application/json, application/problem+json",
      "Accept-Language": languageNow() === "en" ? "en" : "zh-CN",
    },
    body: file,
  });
  if (!answer.ok) throw await problemOf(answer);
  return ((await answer.json()) as { digest: string }).digest;
}

export function PhotoField({ label, value, set }: { label: string; value: string[]; set: (digests: string[]) => void }) {
  const { t } = useTranslation();
  const id = useId();
  const [shown, setShown] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => () => Object.values(shown).forEach((one) => URL.revokeObjectURL(one)), [shown]);
  const add = async (files: FileList | null) => {
    setError(undefined);
    setBusy(true);
    const taken = [...value];
    const seen = { ...shown };
    try {
      for (const file of files ?? []) {
        const digest = await upload(file);
        if (!taken.includes(digest)) taken.push(digest);
        seen[digest] = URL.createObjectURL(file);
      }
    } catch (fault) {
      setError(fault);
    } finally {
      setBusy(false);
      setShown(seen);
      set(taken.slice(0, MOST));
    }
  };
  return (
    <div className="input">
      <span className="label">{label}</span>
      <div className="photo-add">
        <label htmlFor={id} className="button">
          <ImagePlus aria-hidden />
          {busy ? t("cases.photo.sending") : t("cases.photo.add")}
        </label>
        <input
          id={id}
          className="hidden-visually"
          aria-label={label}
          type="file"
          accept="image/jpeg,image/png,image/webp"
          multiple
          disabled={busy}
          onChange={(event) => {
            void add(event.target.files);
            event.target.value = "";
          }}
        />
      </div>
      <Fault error={error} />
      {value.length > 0 && (
        <ul className="photos">
          {value.map((digest, at) => (
            <li key={digest}>
              {shown[digest] && <img src={shown[digest]} alt={t("cases.photo.added", { n: at + 1 })} />}
              <button
                type="button"
                className="icon-button"
                aria-label={t("cases.photo.remove", { n: at + 1 })}
                onClick={() => set(value.filter((one) => one !== digest))}
              >
                <X aria-hidden />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
