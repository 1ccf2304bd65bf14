/** Keys by which other systems report (Open311): made, told once, ended. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../../api/client";
import { useZone } from "../../api/questions";
import { Dialog } from "../../design/Dialog";
import { Form, Input } from "../../design/Form";
import { Empty, Waiting } from "../../design/States";
import { instant } from "../../words";
import { Head } from "./parts";

type Key = { name: string; made: string; ended: string | null; key: string | null };
const ADDRESS = "/api/cases/outside-keys";

export function Keys() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const zone = useZone();
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<string | null>(null);
  const found = useQuery({ queryKey: ["outside-keys"], queryFn: ({ signal }) => askJson<Key[]>(ADDRESS, { signal }) });
  const renew = () => void client.invalidateQueries({ queryKey: ["outside-keys"] });
  return (
    <>
      <Head room="keys" />
      <div>
        <button type="button" className="button" onClick={() => setMaking(true)}>
          <Plus aria-hidden />
          {t("cases.administration.keys.make")}
        </button>
      </div>
      <Waiting of={found} lines={3} />
      {found.isSuccess && found.data.length === 0 && <Empty title={t("cases.administration.keys.none")} />}
      {found.isSuccess && found.data.length > 0 && (
        <ul className="rows card">
          {found.data.map((one) => (
            <li key={`${one.name} ${one.made}`}>
              <div>
                <b>{one.name}</b>
                <span className="small quiet block">
                  {t("cases.administration.keys.since", { when: instant(one.made, zone) })}
                  {one.ended && ` · ${t("cases.administration.keys.ended", { when: instant(one.ended, zone) })}`}
                </span>
              </div>
              {!one.ended && (
                <button type="button" className="button" onClick={() => setEnding(one.name)}>
                  {t("cases.administration.keys.end")}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {making && <Make close={() => setMaking(false)} made={renew} />}
      {ending !== null && (
        <Dialog title={t("cases.administration.keys.endOf", { name: ending })} close={() => setEnding(null)}>
          <Form
            send={() => askJson(ADDRESS, { method: "DELETE", query: { name: ending } })}
            done={() => {
              setEnding(null);
              renew();
            }}
            action={t("cases.administration.keys.end")}
            danger
          >
            <p>{t("cases.administration.keys.endLead")}</p>
          </Form>
        </Dialog>
      )}
    </>
  );
}

function Make({ close, made }: { close: () => void; made: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [key, setKey] = useState<Key>();
  return (
    <Dialog title={t("cases.administration.keys.make")} close={close}>
      {key ? (
        <div className="stack" role="status">
          <p>{t("cases.administration.keys.once")}</p>
          <code className="block">{key.key}</code>
          <button type="button" className="button primary" onClick={close}>
            {t("form.close")}
          </button>
        </div>
      ) : (
        <Form
          send={() => askJson<Key>(ADDRESS, { method: "POST", body: { name: name.trim() } })}
          done={(one) => {
            setKey(one);
            made();
          }}
          action={t("cases.administration.keys.make")}
        >
          <Input label={t("cases.administration.keys.name_")} value={name} required maxLength={120} onChange={(event) => setName(event.target.value)} />
        </Form>
      )}
    </Dialog>
  );
}
