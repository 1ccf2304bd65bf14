/** Fields for passwords, which browsers and password managers know by their names. */
import { useTranslation } from "react-i18next";
import { Problem } from "../api/client";
import { Input } from "../design/Form";

const LONGEST = 256;

/** The password one has. */
export function CurrentPassword({ label, value, set }: { label: string; value: string; set: (value: string) => void }) {
  return (
    <Input
      label={label}
      type="password"
      value={value}
      onChange={(event) => set(event.target.value)}
      autoComplete="current-password"
      maxLength={LONGEST}
      required
    />
  );
}

export type Twice = { fresh: string; again: string };
export const NOTHING_TYPED: Twice = { fresh: "", again: "" };

/** A new password, typed twice. */
export function NewPassword({ typed, set, autoFocus }: { typed: Twice; set: (typed: Twice) => void; autoFocus?: boolean }) {
  const { t } = useTranslation();
  return (
    <>
      <Input
        label={t("session.newPassword")}
        hint={t("session.passwordRule")}
        type="password"
        value={typed.fresh}
        onChange={(event) => set({ ...typed, fresh: event.target.value })}
        autoComplete="new-password"
        minLength={10}
        maxLength={LONGEST}
        required
        autoFocus={autoFocus}
      />
      <Input
        label={t("session.passwordAgain")}
        type="password"
        value={typed.again}
        onChange={(event) => set({ ...typed, again: event.target.value })}
        autoComplete="new-password"
        maxLength={LONGEST}
        required
      />
    </>
  );
}

/** The password that was typed twice; a Problem if it was not the same. */
export function agreed({ fresh, again }: Twice, unequal: string): string {
  if (fresh !== again) throw new Problem({ title: unequal, code: "unequal" });
  return fresh;
}
