/** The first half of the tree: what was sent, and the device that should have shown it. */
import type { Question } from "../questions.ts";

export const deviceQuestions: readonly Question[] = [
  {
    id: "sent",
    asks: "What did the push service answer?",
    answers: [
      { says: "It accepted the message (201)", next: "where" },
      { says: "It refused it, or there was an error", next: "not-accepted" },
      { says: "Nothing was sent yet", next: "never-sent" },
    ],
    known({ stored, accepted, refused }) {
      if (accepted > 0) return "where";
      if (refused > 0) return "not-accepted";
      return stored > 0 ? "never-sent" : undefined;
    },
  },
  {
    id: "where",
    asks: "Where should it have appeared?",
    answers: [
      { says: "Chrome, Edge or another Chromium on a computer", next: "system", services: ["fcm", "wns"] },
      { says: "Brave", next: "brave", services: ["fcm"] },
      { says: "Firefox on a computer", next: "system", services: ["mozilla"] },
      { says: "Safari on a Mac", next: "mac", services: ["apple"] },
      { says: "An iPhone or iPad", next: "ios-icon", services: ["apple"] },
      { says: "An Android phone or tablet", next: "android", services: ["fcm", "mozilla"] },
      { says: "On several devices, and on none of them does it", next: "page-open" },
    ],
  },
  {
    id: "brave",
    asks: "brave://settings/privacy: is “Use Google services for push messaging” on?",
    answers: [
      { says: "Yes", next: "system" },
      { says: "No, it is off", next: "brave-switch" },
    ],
  },
  {
    id: "system",
    asks: "Which system is it?",
    answers: [
      { says: "Windows", next: "windows" },
      { says: "macOS", next: "mac" },
      { says: "Linux", next: "linux" },
      { says: "ChromeOS or another", next: "online" },
    ],
  },
  {
    id: "windows",
    asks: "Settings, System, Notifications: what does it say?",
    answers: [
      { says: "On for the browser, and “Do not disturb” is off", next: "online" },
      { says: "“Do not disturb” or focus assist is on", next: "focus" },
      { says: "Off, or off for the browser", next: "system-permission" },
    ],
  },
  {
    id: "mac",
    asks: "System Settings, Notifications: what does it say of the browser?",
    answers: [
      { says: "Allowed, and no Focus is on", next: "online" },
      { says: "A Focus or “Do Not Disturb” is on", next: "focus" },
      { says: "Not allowed, or the browser is not listed", next: "system-permission" },
    ],
  },
  {
    id: "linux",
    asks: "Run: notify-send hello. Does something appear?",
    answers: [
      { says: "Yes", next: "online" },
      { says: "No, “Do not disturb” is on", next: "focus" },
      { says: "No, nothing", next: "no-notification-service" },
    ],
  },
  {
    id: "ios-icon",
    asks: "Was the site opened from its icon on the home screen when it was turned on?",
    answers: [
      { says: "Yes, and it opens without Safari's address bar", next: "ios-settings" },
      { says: "No, or it opens as a tab of a browser", next: "ios-tab" },
    ],
  },
  {
    id: "ios-settings",
    asks: "Settings, Notifications: what does it say of the app?",
    answers: [
      { says: "Allowed, and no Focus is on", next: "ios-stopped" },
      { says: "A Focus is on", next: "focus" },
      { says: "Not allowed", next: "system-permission" },
      { says: "It is not listed", next: "ios-add-again" },
    ],
  },
  {
    id: "ios-stopped",
    asks: "Did the first few pushes appear, and then no more?",
    answers: [
      { says: "Yes, it stopped", next: "silent-pushes" },
      { says: "No, never one", next: "page-open" },
    ],
  },
  {
    id: "android",
    asks: "Does it appear as soon as somebody wakes the phone?",
    answers: [
      { says: "Yes, then it comes", next: "doze" },
      { says: "No, not then either", next: "android-settings" },
    ],
    // What was sent with high urgency does not wait for somebody to wake the phone.
    known: ({ urgency }) => (urgency === "high" ? "android-settings" : undefined),
  },
  {
    id: "android-settings",
    asks: "Settings, Apps, the browser: what does it say?",
    answers: [
      { says: "Notifications are allowed, the battery is not restricted", next: "online" },
      { says: "Notifications, or those of the site, are off", next: "system-permission" },
      { says: "The battery is restricted, or battery saver is on", next: "battery" },
      { says: "“Do not disturb” is on", next: "focus" },
    ],
  },
  {
    id: "online",
    asks: "Was the device on and online, and the browser running, when you sent?",
    answers: [
      { says: "Yes", next: "page-open" },
      { says: "No", next: "ttl" },
    ],
  },
  {
    id: "ttl",
    asks: "Was it back before the message's time to live (--ttl) ran out?",
    answers: [
      { says: "Yes, and still nothing", next: "window" },
      { says: "No, or it was sent with --ttl 0", next: "ttl-elapsed" },
    ],
    // A longer default proves nothing: the message may have had a TTL of its own.
    known: ({ ttlSeconds }) => (ttlSeconds === 0 ? "ttl-elapsed" : undefined),
  },
];
