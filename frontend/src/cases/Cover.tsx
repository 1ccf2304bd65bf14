/** Parts of a photograph are covered before it is shown to everybody: the original stays as it is. */
import { Plus, Trash2 } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "../design/Dialog";
import { Fault } from "../design/Form";
import { upload } from "./Photos";

/** In shares of the picture's sides. */
type Box = { x: number; y: number; w: number; h: number };
const STEP = 0.02;
const between = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
const placed = ({ x, y, w, h }: Box): Box => {
  const [wide, high] = [between(w, STEP, 1), between(h, STEP, 1)];
  return { x: between(x, 0, 1 - wide), y: between(y, 0, 1 - high), w: wide, h: high };
};

async function covered(picture: HTMLImageElement, boxes: Box[]): Promise<string> {
  const canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth;
  canvas.height = picture.naturalHeight;
  const draw = canvas.getContext("2d")!;
  draw.drawImage(picture, 0, 0);
  draw.fillStyle = "#000";
  for (const { x, y, w, h } of boxes) draw.fillRect(Math.floor(x * canvas.width), Math.floor(y * canvas.height), Math.ceil(w * canvas.width), Math.ceil(h * canvas.height));
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.9));
  return upload(new File([blob!], "covered.jpg", { type: "image/jpeg" }));
}

export function Cover({ address, close, done }: { address: string; close: () => void; done: (digest: string) => void }) {
  const { t } = useTranslation();
  const picture = useRef<HTMLImageElement>(null);
  const [boxes, setBoxes] = useState<Box[]>([]);
  const [drawn, setDrawn] = useState<{ x: number; y: number } | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  // No form of its own: it stands within that of the step.
  const use = async () => {
    setBusy(true);
    setError(undefined);
    try {
      done(await covered(picture.current!, boxes));
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  const spot = (event: PointerEvent) => {
    const frame = picture.current!.getBoundingClientRect();
    return { x: between((event.clientX - frame.left) / frame.width, 0, 1), y: between((event.clientY - frame.top) / frame.height, 0, 1) };
  };
  const change = (n: number, box: Box) => setBoxes((all) => all.map((one, at) => (at === n ? placed(box) : one)));
  const begin = (event: PointerEvent) => {
    event.preventDefault();
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    const at = spot(event);
    setDrawn(at);
    setBoxes((all) => [...all, { ...at, w: STEP, h: STEP }]);
  };
  const draw = (event: PointerEvent) => {
    if (!drawn) return;
    const at = spot(event);
    setBoxes((all) => [...all.slice(0, -1), placed({ x: Math.min(at.x, drawn.x), y: Math.min(at.y, drawn.y), w: Math.abs(at.x - drawn.x), h: Math.abs(at.y - drawn.y) })]);
  };
  const move = (n: number, box: Box) => (event: KeyboardEvent) => {
    const way = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (!way) return;
    event.preventDefault();
    const [x, y] = way as [number, number];
    change(n, event.shiftKey ? { ...box, w: box.w + x, h: box.h + y } : { ...box, x: box.x + x, y: box.y + y });
  };
  return (
    <Dialog title={t("cases.cover.title")} close={close}>
      <div className="form">
        <p className="small">{t("cases.cover.lead")}</p>
        <div className="cover" onPointerDown={begin} onPointerMove={draw} onPointerUp={() => setDrawn(null)}>
          <img ref={picture} src={address} alt={t("cases.cover.title")} draggable={false} />
          {boxes.map((box, n) => (
            <button
              key={n}
              type="button"
              className="cover-box"
              aria-label={t("cases.cover.box", { n: n + 1 })}
              style={{ left: `${box.x * 100}%`, top: `${box.y * 100}%`, width: `${box.w * 100}%`, height: `${box.h * 100}%` }}
              onPointerDown={(event) => event.stopPropagation()}
              onKeyDown={move(n, box)}
            />
          ))}
        </div>
        <div className="cover-actions">
          <button type="button" className="button" onClick={() => setBoxes([...boxes, { x: 0.4, y: 0.4, w: 0.2, h: 0.2 }])}>
            <Plus aria-hidden />
            {t("cases.cover.add")}
          </button>
          <button type="button" className="button" disabled={boxes.length === 0} onClick={() => setBoxes(boxes.slice(0, -1))}>
            <Trash2 aria-hidden />
            {t("cases.cover.undo")}
          </button>
        </div>
        <Fault error={error} />
        <div className="cover-actions">
          <button type="button" className="button primary" disabled={busy || boxes.length === 0} onClick={() => void use()}>
            {t("cases.cover.use")}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
