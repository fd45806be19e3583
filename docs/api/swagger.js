// Swagger UI over the document beside it, with the key of the sandbox filled in.

const KEY = "sandbox";
const ROWS_SHOWN = 50;

// A browser takes seconds to colour megabytes: what is shown is the beginning, and says so.
function shortened(response) {
  let rows;
  try {
    rows = JSON.parse(response.text);
  } catch {
    return response; // the document itself, and CSV
  }
  const list = Array.isArray(rows) ? rows : rows.snapshots;
  if (!Array.isArray(list) || list.length <= ROWS_SHOWN) return response;
  const left = list.length - ROWS_SHOWN;
  list.splice(ROWS_SHOWN, left, `and ${left.toLocaleString("en")} more rows, which this page leaves out`);
  response.text = JSON.stringify(rows);
  response.data = response.text;
  return response;
}

function dress() {
  const dark = window.parent.document.body.dataset.mdColorScheme === "slate";
  document.documentElement.classList.toggle("dark-mode", dark);
}

dress();
new MutationObserver(dress).observe(window.parent.document.body, {
  attributeFilter: ["data-md-color-scheme"],
});

window.ui = SwaggerUIBundle({
  url: "trayport.yaml",
  dom_id: "#swagger-ui",
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  supportedSubmitMethods: ["get"],
  tryItOutEnabled: true,
  validatorUrl: "none",
  responseInterceptor: shortened,
  onComplete: () => {
    for (const name of Object.keys(window.ui.specSelectors.securityDefinitions()?.toJS() ?? {})) {
      window.ui.preauthorizeApiKey(name, KEY);
    }
  },
});

if (window.frameElement) {
  const grow = () => {
    window.frameElement.style.height = `${document.body.scrollHeight + 16}px`;
  };
  new ResizeObserver(grow).observe(document.body);
}
