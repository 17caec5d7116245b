/** What `webpush scaffold` was told. Both are the page's too: change them there as well. */
export const settings = {
  /** Path under which the page finds this server; `server` in the page's webpush-config.js. */
  api: {{json:api}},
  /** The page's folder, seen from this one. PAGE_DIR in the environment goes before it. */
  page: {{json:page}},
};
