import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter, Navigate, Route, Routes } from "react-router";
import { Problem } from "./api/client";
import { Frame } from "./app/Frame";
import { PARTS } from "./app/parts";
import "./design/tokens.css";
import "./design/base.css";
import "./design/parts.css";
import "./words";

const questions = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      networkMode: "always", // an intranet's server may answer where the browser thinks it is offline
      retry: (times, error) => times < 2 && (!(error instanceof Problem) || error.status >= 502),
    },
  },
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={questions}>
      <BrowserRouter>
        <Frame>
          <Routes>
            {PARTS.map(({ path, page: Page }) => (
              <Route key={path} path={path === "/" ? "/" : `${path}/*`} element={<Page />} />
            ))}
            <Route path="*" element={<Navigate to={PARTS[0]!.path} replace />} />
          </Routes>
        </Frame>
      </BrowserRouter>
    </QueryClientProvider>
  </StrictMode>,
);
