import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter, Navigate, Route, Routes } from "react-router";
import { Problem } from "./api/client";
import { Frame } from "./app/Frame";
import { PARTS } from "./app/parts";
import { Door } from "./session/Door";
import { SESSION } from "./session/questions";
import "./design/tokens.css";
import "./design/base.css";
import "./design/parts.css";
import "./words";

/** Once the server says that nobody is signed in, or that it is not set up, the door is asked who is. */
const ENDED = ["not-signed-in", "not-set-up"];

const questions: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof Problem && ENDED.includes(error.code)) void questions.invalidateQueries({ queryKey: SESSION });
    },
  }),
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
        <Door>
          <Frame>
            <Routes>
              {PARTS.map(({ path, page: Page }) => (
                <Route key={path} path={path === "/" ? "/" : `${path}/*`} element={<Page />} />
              ))}
              <Route path="*" element={<Navigate to={PARTS[0]!.path} replace />} />
            </Routes>
          </Frame>
        </Door>
      </BrowserRouter>
    </QueryClientProvider>
  </StrictMode>,
);
