/** What the questions end in. Facts and sources: docs/nothing-appears.md is made of these. */
import type { Verdict } from "../questions.ts";

export const verdicts: readonly Verdict[] = [
  {
    id: "not-accepted",
    what: "The push service did not take the message, so there is nothing to appear.",
    fix: [
      "Send again and read the diagnosis below the failure: webpush send",
      "Look the cause up in docs/errors.md.",
    ],
  },
  {
    id: "never-sent",
    what: "No message has been sent to a stored subscription yet.",
    fix: ['Send one: webpush send "Hello"'],
  },
  {
    id: "ttl-elapsed",
    what: "The message died on the way: a push service keeps it only as long as its TTL says, and with TTL 0 not at all.",
    fix: [
      "Send with a TTL that outlasts a night: --ttl 1d",
      "See what is the default here: webpush config get ttl",
    ],
  },
  {
    id: "focus",
    what: "The message arrived, and the system keeps notifications back while do-not-disturb or a focus is on.",
    fix: [
      "Look in the notification centre: it is there.",
      "Turn do-not-disturb off, or let the browser through it.",
    ],
  },
  {
    id: "system-permission",
    what: "The system does not let the browser, or the app, show notifications, whatever the site was allowed.",
    fix: ["Allow notifications for the browser in the system's settings, then send again."],
  },
  {
    id: "no-notification-service",
    what: "No notification service runs on this desktop, so there is nobody to show it.",
    fix: ["Install and start one: the desktop's own, or dunst or mako in a plain window manager."],
  },
  {
    id: "ios-tab",
    what: "On iPhone and iPad only web apps on the home screen get pushes; a tab has no push at all.",
    fix: [
      "Open the site in Safari, press Share, choose “Add to Home Screen” and leave “Open as Web App” on.",
      "Open it from the icon, and turn notifications on there.",
      'Check the manifest for "display": "standalone": webpush doctor',
    ],
  },
  {
    id: "ios-add-again",
    what: "iOS does not know the app as one that may notify; a refusal there is practically final.",
    fix: [
      "Delete the icon, clear the site's data in Settings, Safari, and add the site to the home screen again.",
    ],
  },
  {
    id: "silent-pushes",
    what: "Safari ends the subscription after three pushes that showed no notification, and tells nobody.",
    fix: [
      "Have the worker show something for every push: webpush doctor says on which path it does not.",
      "Turn notifications on again on the device: the old subscription does not come back.",
      "Send notifications that Safari can show without the worker: webpush send --title … --url …",
    ],
  },
  {
    id: "doze",
    what: "A sleeping Android phone keeps messages of normal urgency until somebody wakes it.",
    fix: ["Send what cannot wait with --urgency high, and only that."],
  },
  {
    id: "battery",
    what: "Android's battery saving stops the browser in the background, and its messages wait.",
    fix: ["Set the browser's battery use to unrestricted in Settings, Apps.", "Send with --urgency high."],
  },
  {
    id: "brave-switch",
    what: "Brave does not talk to the push service until it is told to.",
    fix: [
      "Turn on “Use Google services for push messaging” in brave://settings/privacy, and restart Brave.",
      "Turn notifications off and on again on the page.",
    ],
  },
  {
    id: "hidden-when-open",
    what: "The worker, or the page, leaves the notification out while a page of the site is open.",
    fix: [
      "Show it all the same: Safari counts a push without a notification, open page or not.",
      "Let the page close it, if it shows the news itself.",
    ],
  },
  {
    id: "private-window",
    what: "Private and guest windows get no pushes, and what was subscribed in them ends with them.",
    fix: ["Turn notifications on in an ordinary window."],
  },
  {
    id: "wrong-origin",
    what: "A subscription belongs to one browser profile and one exact address: another port, www or not, is another site.",
    fix: [
      "Turn notifications on at the address, and in the profile, that should show them.",
      "Remove the other subscription: webpush subscriptions remove",
    ],
  },
  {
    id: "site-permission",
    what: "The site may not show notifications any more; the push service cannot know, and accepts the message.",
    fix: [
      "Allow notifications for the site at the icon left of the address, and turn them on again on the page.",
    ],
  },
  {
    id: "no-worker",
    what: "No service worker is registered, so the browser has nobody to hand the push to.",
    fix: [
      "Check that the page registers it, and that its file is there: webpush doctor",
      "Reload the page and look again.",
    ],
  },
  {
    id: "old-worker",
    what: "An old worker answers: a new one waits until every page of the site is closed, or its file was moved.",
    fix: [
      "Close all pages of the site, or press “Update” and “skipWaiting” beside the worker.",
      "Call self.skipWaiting() on install, and keep the worker's address for ever.",
    ],
  },
  {
    id: "worker-throws",
    what: "The worker fails before it shows anything, often because event.data.json() is handed a plain text.",
    fix: ["Mend what the console names; webpush doctor shows the line where a payload can throw."],
  },
  {
    id: "worker-silent",
    what: "The worker gets the push and shows no notification, or is stopped before it can.",
    fix: [
      "Call showNotification() on every path, inside of event.waitUntil(): webpush doctor names the path.",
      "Use the network only after showing.",
    ],
  },
  {
    id: "stale-keys",
    what: "The browser throws away what it cannot decrypt, without a word: a subscription copied or kept too long has old keys.",
    fix: [
      "Turn notifications off and on again on the page, store the new subscription, and send to it.",
      "Remove the old one: webpush subscriptions remove",
    ],
  },
  {
    id: "compare",
    what: "Everything that is usually to blame is ruled out.",
    fix: [
      "Send to a browser that shows what it gets: webpush demo --browser chromium",
      "Serve your page with its own push service and watch each step: webpush serve --emulator --open chromium",
      "Send to a terminal over the real service: webpush listen --save test, then webpush send --to test Hello",
    ],
  },
];
