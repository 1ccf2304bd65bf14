/** Search by code, coordinates or name: a combobox whose list is reached by the arrow keys. */
import { useQuery } from "@tanstack/react-query";
import { Crosshair, Hash, House, LoaderCircle, MapPin, Search, X } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import type { Hit } from "../api/types";
import { count, say } from "../words";

const ICONS = { code: Hash, coordinate: Crosshair, name: MapPin, address: House };

function useSettled(value: string, milliseconds: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}

export function SearchBox({ pick }: { pick: (hit: Hit) => void }) {
  const { t } = useTranslation();
  const id = useId();
  const [typed, setTyped] = useState("");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const asked = useSettled(typed.trim(), 200);
  const answer = useQuery({
    queryKey: ["search", asked],
    queryFn: ({ signal }) => askJson<{ hits: Hit[] }>("/api/search", { query: { q: asked }, signal }),
    enabled: asked !== "",
  });
  const hits = asked && typed.trim() ? (answer.data?.hits ?? []) : [];

  const take = (hit: Hit | undefined) => {
    if (!hit) return;
    setOpen(false);
    setActive(-1);
    pick(hit);
  };
  const onKey = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (hits.length) setActive((active + step + hits.length) % hits.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(hits[Math.max(0, active)]);
    } else if (event.key === "Escape") {
      if (open) setOpen(false);
      else setTyped("");
    }
  };

  return (
    <div
      className="search"
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <div className="field">
        {answer.isFetching ? <LoaderCircle aria-hidden className="spin" /> : <Search aria-hidden />}
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label={t("map.search")}
          aria-expanded={open && hits.length > 0}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
          placeholder={t("map.searchHint")}
          value={typed}
          maxLength={120}
          autoComplete="off"
          spellCheck={false}
          onFocus={() => setOpen(true)}
          onChange={(event) => {
            setTyped(event.target.value);
            setActive(-1);
            setOpen(true);
          }}
          onKeyDown={onKey}
        />
        {typed && (
          <button
            type="button"
            className="icon-button small-button"
            aria-label={t("map.clear")}
            onClick={() => {
              setTyped("");
              input.current?.focus();
            }}
          >
            <X aria-hidden />
          </button>
        )}
      </div>
      {open && typed.trim() !== "" && (
        <div className="search-list">
          <ul id={`${id}-list`} role="listbox" aria-label={t("map.found")}>
            {hits.map((hit, number) => {
              const Icon = ICONS[hit.kind];
              return (
                <li
                  key={`${hit.kind}-${hit.title}-${hit.dataset ?? ""}`}
                  id={`${id}-${number}`}
                  role="option"
                  aria-selected={number === active}
                  onPointerDown={(event) => {
                    event.preventDefault();
                    take(hit);
                  }}
                  onPointerEnter={() => setActive(number)}
                >
                  <Icon aria-hidden />
                  <span className={hit.kind === "name" ? "" : "code"}>{hit.title}</span>
                  <span className="quiet small">
                    {hit.kind === "name" ? say(hit.dataset_title) : t(`map.kinds.${hit.kind}`)}
                    {hit.facts && hit.facts > 1 ? ` · ${count(hit.facts)}` : ""}
                  </span>
                </li>
              );
            })}
          </ul>
          {asked === typed.trim() && answer.isSuccess && hits.length === 0 && (
            <p className="search-none small quiet">{t("map.noHit")}</p>
          )}
          {answer.isError && <p className="search-none small">{(answer.error as Error).message || t("state.failed")}</p>}
        </div>
      )}
      <span role="status" className="hidden-visually">
        {open && asked && answer.isSuccess ? t("map.hits", { count: hits.length }) : ""}
      </span>
    </div>
  );
}
