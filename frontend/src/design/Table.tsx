/** A table that is moved by itself, also by keys, where it is wider than its place; to a screen reader it is a region. */
import type { ReactNode } from "react";

type Column = string | false | undefined | { end: ReactNode };

export function Table({ label, head, className, children }: { label: string; head?: Column[]; className?: string; children: ReactNode }) {
  const columns = head?.filter((one) => one !== false && one !== undefined);
  return (
    <div className="table-box" tabIndex={0} role="region" aria-label={label}>
      <table className={className ? `table ${className}` : "table"}>
        {columns && (
          <thead>
            <tr>
              {columns.map((one, number) =>
                typeof one === "string" ? (
                  <th key={number} scope="col">
                    {one}
                  </th>
                ) : (
                  <th key={number} scope="col" className="end">
                    {one.end}
                  </th>
                ),
              )}
            </tr>
          </thead>
        )}
        {children}
      </table>
    </div>
  );
}
