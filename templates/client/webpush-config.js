/**
 * The settings of this page. Everything that differs between two sites is here; the other files are the same
 * everywhere, so you can replace them when a newer version comes.
 */
export const config = {
  /** The name people know your site by. */
  appName: {{json:appName}},

  /**
   * The public half of your VAPID key pair. Not a secret: it tells the push service which server may send to the
   * subscriptions made here. The private half stays on the server. Put in a new key and every visitor is moved
   * over to it on their next visit.
   */
  publicKey: {{json:publicKey}},

  /**
   * Where your server keeps subscriptions (same origin, no slash at the end), or null when there is no server
   * yet: then the page shows the subscription, for you to carry over by hand.
   */
  server: {{json:server}},

  /**
   * The service worker, relative to the page. If pages in several folders use it, write "/sw.js". Choose once:
   * a subscription belongs to this file's registration, and moving the file loses every subscription.
   */
  worker: "sw.js",

  /** How long to wait for the push service. Some browsers never answer when they cannot reach it. */
  subscribeTimeoutMs: 20000,
};
