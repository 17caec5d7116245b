/** The second half of the tree: the browser's window, the worker in it, and the subscription. */
import type { Question } from "../questions.ts";

export const pageQuestions: readonly Question[] = [
  {
    id: "page-open",
    asks: "Does it appear when no page of the site is open?",
    answers: [
      { says: "Yes, only then", next: "hidden-when-open" },
      { says: "No, never", next: "window" },
    ],
  },
  {
    id: "window",
    asks: "In which window was it turned on?",
    answers: [
      { says: "In an ordinary one, of the profile that should show it", next: "site" },
      { says: "In a private or guest window", next: "private-window" },
      { says: "In another profile, or at another address of the site", next: "wrong-origin" },
    ],
  },
  {
    id: "site",
    asks: "The icon left of the page's address: may the site send notifications?",
    answers: [
      { says: "Yes, allowed", next: "worker" },
      { says: "Blocked, or it would ask", next: "site-permission" },
    ],
  },
  {
    id: "worker",
    asks: "Which worker runs? (Chrome: DevTools, Application. Firefox: about:debugging)",
    answers: [
      { says: "One, activated, and its code is the newest", next: "push-event" },
      { says: "An old one; a new one is waiting or missing", next: "old-worker" },
      { says: "None", next: "no-worker" },
      { says: "I cannot look there", next: "foreign-notification" },
    ],
  },
  {
    id: "push-event",
    asks: "Press “Push” beside the worker. What happens?",
    answers: [
      { says: "A notification appears", next: "keys" },
      { says: "An error in the console", next: "worker-throws" },
      { says: "Nothing at all", next: "worker-silent" },
    ],
  },
  {
    id: "foreign-notification",
    asks: "Does something else appear, such as “This site has been updated in the background”?",
    answers: [
      { says: "Yes, that", next: "worker-silent" },
      { says: "No", next: "keys" },
    ],
  },
  {
    id: "keys",
    asks: "Have you turned it off and on again on the page, and sent to the new subscription?",
    answers: [
      { says: "Yes, and still nothing appears", next: "compare" },
      { says: "No, not yet", next: "stale-keys" },
    ],
  },
];
