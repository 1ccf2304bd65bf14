/** The second factor: set up with a QR code drawn by the server, recovery codes shown once, removed with both factors. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ShieldCheck, ShieldOff } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask, askJson } from "../api/client";
import { Dialog } from "../design/Dialog";
import { Fault, Form, Input } from "../design/Form";
import { Secret } from "../design/Secret";
import { CurrentPassword } from "../session/passwords";

type Offer = { secret: string; address: string; qr: string; offer: string };
type Open = "set" | "renew" | "remove";

export function SecondFactor({ on }: { on: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [open, setOpen] = useState<Open>();
  const [offer, setOffer] = useState<Offer>();
  const [codes, setCodes] = useState<string[]>();
  const asking = useMutation({
    mutationFn: () => askJson<Offer>("/api/account/second-factor/offer", { method: "POST" }),
    onSuccess: (made) => {
      setOffer(made);
      setOpen("set");
    },
  });
  const close = () => {
    setOpen(undefined);
    setOffer(undefined);
    setCodes(undefined);
    void client.invalidateQueries({ queryKey: ["account"] });
  };
  return (
    <section className="card part" aria-labelledby="second-factor">
      <h2 id="second-factor">
        {t("factor.name")}{" "}
        <span className={on ? "badge good" : "badge warn"}>{on ? t("factor.on") : t("factor.off")}</span>
      </h2>
      <p className="small">{t("factor.lead")}</p>
      <Fault error={asking.error} />
      <div className="form-actions">
        {on ? (
          <>
            <button type="button" className="button" onClick={() => setOpen("renew")}>
              {t("factor.renew")}
            </button>
            <button type="button" className="button danger" onClick={() => setOpen("remove")}>
              <ShieldOff aria-hidden />
              {t("factor.remove")}
            </button>
          </>
        ) : (
          <button type="button" className="button primary" disabled={asking.isPending} onClick={() => asking.mutate()}>
            <ShieldCheck aria-hidden />
            {t("factor.setUp")}
          </button>
        )}
      </div>
      {open && (
        <Dialog title={codes ? t("factor.codes") : t(`factor.titles.${open}`)} close={close}>
          {codes ? (
            <RecoveryCodes codes={codes} close={close} />
          ) : open === "set" && offer ? (
            <Enrol offer={offer} done={setCodes} />
          ) : (
            <Confirm kind={open} done={(made) => (made ? setCodes(made) : close())} />
          )}
        </Dialog>
      )}
    </section>
  );
}

function Enrol({ offer, done }: { offer: Offer; done: (codes: string[]) => void }) {
  const { t } = useTranslation();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const send = () =>
    askJson<{ codes: string[] }>("/api/account/second-factor", {
      method: "PUT",
      body: { password, offer: offer.offer, code },
    });
  return (
    <>
      <p className="small">{t("factor.scan")}</p>
      <img className="qr" src={`data:image/svg+xml,${encodeURIComponent(offer.qr)}`} alt={t("factor.qr")} />
      <p className="small">{t("factor.byHand")}</p>
      <Secret value={offer.secret} label={t("factor.secret")} />
      <Form send={send} done={(made) => done(made.codes)} action={t("factor.turnOn")}>
        <Input
          label={t("session.code")}
          value={code}
          onChange={(event) => setCode(event.target.value)}
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={12}
          required
          className="code"
        />
        <CurrentPassword label={t("account.ownPassword")} value={password} set={setPassword} />
      </Form>
    </>
  );
}

function Confirm({ kind, done }: { kind: Open; done: (codes?: string[]) => void }) {
  const { t } = useTranslation();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const body = { password, code };
  const send = async (): Promise<string[] | undefined> => {
    if (kind === "remove") {
      await ask("/api/account/second-factor/removal", { method: "POST", body });
      return undefined;
    }
    return (await askJson<{ codes: string[] }>("/api/account/recovery-codes", { method: "POST", body })).codes;
  };
  return (
    <>
      <p className="small">{t(`factor.leads.${kind}`)}</p>
      <Form send={send} done={done} action={t(`factor.titles.${kind}`)} danger={kind === "remove"}>
        <CurrentPassword label={t("account.ownPassword")} value={password} set={setPassword} />
        <Input
          label={t("factor.anyCode")}
          value={code}
          onChange={(event) => setCode(event.target.value)}
          autoComplete="one-time-code"
          maxLength={40}
          required
          className="code"
        />
      </Form>
    </>
  );
}

function RecoveryCodes({ codes, close }: { codes: string[]; close: () => void }) {
  const { t } = useTranslation();
  return (
    <>
      <p>{t("factor.codesLead")}</p>
      <ol className="recovery code">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <Secret value={codes.join("\n")} label={t("factor.codes")} />
      <div className="form-actions">
        <button type="button" className="button primary" onClick={close}>
          {t("factor.kept")}
        </button>
      </div>
    </>
  );
}
