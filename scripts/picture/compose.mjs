/** The picture itself: two terminals, the page, and the notification, as one HTML document. */

/** Its width, so that GitHub, which shows at most some 840 pixels, leaves the letters about as large as its own. */
export const width = 872;

// No backdrop, and every frame has a border: the picture stands on a light page as well as on a dark one.
const style = `
  * { box-sizing: border-box; margin: 0 }
  body { width: ${width}px; padding: 6px; font-family: "DejaVu Sans", system-ui, sans-serif }
  main { display: grid; grid-template-columns: 1fr 300px; gap: 14px; align-items: stretch }
  .wide { grid-column: 1 / -1 }
  .column { display: flex; flex-direction: column; gap: 14px }
  figure { border-radius: 10px; overflow: hidden; background: #14181f; border: 1px solid #4a5361 }
  figcaption { display: flex; align-items: center; gap: 8px; padding: 7px 12px; font-size: 12px; color: #aeb7c4; background: #1d232d }
  figcaption::before { content: ""; width: 10px; height: 10px; border-radius: 50%; background: #f06a5f; box-shadow: 16px 0 #f0b14e, 32px 0 #5cc460; margin-right: 38px }
  pre { padding: 10px 16px 12px; font: 14px/1.36 "DejaVu Sans Mono", monospace; color: #dbe2ea; white-space: pre; overflow: hidden }
  .page { display: flex; flex-direction: column } .page img { display: block; width: 100%; flex: 1; min-height: 0; object-fit: cover; object-position: top }
  .bold { font-weight: bold; color: #fff } .dim { opacity: .62 }
  .c31, .c91 { color: #ff8078 } .c32, .c92 { color: #74d67b } .c33, .c93 { color: #f2c14e }
  .c34, .c94 { color: #7fb2ff } .c35, .c95 { color: #d79bff } .c36, .c96 { color: #5fd1d8 } .c90 { color: #8b95a3 }
  .desktop { flex: 1; display: grid; place-items: center; border-radius: 10px; background: #3a5578; border: 1px solid #4a5361 }
  .notification { width: 400px; display: grid; grid-template-columns: 56px 1fr; align-items: center; gap: 16px; padding: 14px 18px; border-radius: 12px; background: #f7f8fa; color: #1b2027; box-shadow: 0 8px 24px #0007 }
  .notification img { width: 56px; height: 56px; border-radius: 10px } .notification b { font-size: 18px; display: block; margin-bottom: 4px }
  .notification p { font-size: 15px; line-height: 1.4 } .notification small { display: block; margin-top: 6px; color: #66707d; font-size: 12px }
`;

const terminal = (title, html) => `<figure><figcaption>${title}</figcaption><pre>${html}</pre></figure>`;
const source = (png) => `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
const text = (words) => words.replace(/[&<>]/g, (sign) => `&#${sign.codePointAt(0)};`);

/** @param {{ serve: string, send: string, page: Uint8Array, icon: Uint8Array, notification: { title: string, body: string, origin: string } }} parts */
export function compose({ serve, send, page, icon, notification: { title, body, origin } }) {
  return `<!doctype html><meta charset="utf-8"><style>${style}</style><main>
    <div class="wide">${terminal("Terminal 1", serve)}</div>
    <div class="column">
      ${terminal("Terminal 2", send)}
      <div class="desktop"><div class="notification"><img src="${source(icon)}" alt=""><div><b>${text(title)}</b><p>${text(body)}</p><small>${text(origin)}</small></div></div></div>
    </div>
    <figure class="page"><figcaption>${text(origin)}</figcaption><img src="${source(page)}" alt=""></figure>
    </main>`;
}
