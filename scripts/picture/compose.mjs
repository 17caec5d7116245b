/** The picture itself: two terminals, the page, and the notification, as one HTML document. */

const style = `
  * { box-sizing: border-box; margin: 0 }
  html { background: #10151f } body { width: 1480px; padding: 40px; min-height: 900px; background: linear-gradient(135deg, #23304a, #10151f); font-family: "DejaVu Sans", system-ui, sans-serif }
  main { display: grid; grid-template-columns: 800px 1fr; gap: 28px; align-items: start }
  .column { display: grid; gap: 28px }
  figure { border-radius: 12px; overflow: hidden; background: #14181f; box-shadow: 0 12px 40px #0008; border: 1px solid #ffffff1a }
  figcaption { display: flex; align-items: center; gap: 8px; padding: 10px 14px; font-size: 13px; color: #aeb7c4; background: #1d232d }
  figcaption::before { content: ""; width: 12px; height: 12px; border-radius: 50%; background: #f06a5f; box-shadow: 20px 0 #f0b14e, 40px 0 #5cc460; margin-right: 48px }
  pre { padding: 14px 18px 18px; font: 15px/1.45 "DejaVu Sans Mono", monospace; color: #dbe2ea; white-space: pre; overflow: hidden }
  .page { background: #fff } .page img { display: block; width: 100% }
  .bold { font-weight: bold; color: #fff } .dim { opacity: .62 }
  .c31, .c91 { color: #ff8078 } .c32, .c92 { color: #74d67b } .c33, .c93 { color: #f2c14e }
  .c34, .c94 { color: #7fb2ff } .c35, .c95 { color: #d79bff } .c36, .c96 { color: #5fd1d8 } .c90 { color: #8b95a3 }
  .notification { display: grid; grid-template-columns: 56px 1fr; gap: 16px; padding: 18px 20px; border-radius: 14px; background: #f7f8fa; color: #1b2027; box-shadow: 0 12px 40px #0008 }
  .notification img { width: 56px; height: 56px; border-radius: 10px } .notification b { font-size: 19px; display: block; margin-bottom: 5px }
  .notification p { font-size: 16px; line-height: 1.4 } .notification small { display: block; margin-top: 8px; color: #66707d; font-size: 13px }
`;

const terminal = (title, html) => `<figure><figcaption>${title}</figcaption><pre>${html}</pre></figure>`;
const source = (png) => `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
const text = (words) => words.replace(/[&<>]/g, (sign) => `&#${sign.codePointAt(0)};`);

/** @param {{ serve: string, send: string, page: Uint8Array, icon: Uint8Array, notification: { title: string, body: string, origin: string } }} parts */
export function compose({ serve, send, page, icon, notification: { title, body, origin } }) {
  return `<!doctype html><meta charset="utf-8"><style>${style}</style><main>
    <div class="column">${terminal("Terminal 1", serve)}${terminal("Terminal 2", send)}</div>
    <div class="column">
      <div class="notification"><img src="${source(icon)}" alt=""><div><b>${text(title)}</b><p>${text(body)}</p><small>${text(origin)}</small></div></div>
      <figure class="page"><figcaption>${text(origin)}</figcaption><img src="${source(page)}" alt=""></figure>
    </div></main>`;
}
