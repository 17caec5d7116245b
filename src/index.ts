/**
 * The public library: what `webpush` does, for programs.
 *
 * Importing it has no side effects and starts nothing. The names are those of the
 * RFCs; each function's documentation cites the section it implements.
 */
export { Secret } from "./base/secret.ts";
export { UserError, type ErrorKind } from "./base/errors.ts";
export type { Clock, Random } from "./base/clock.ts";
export {
  formatSubscription,
  parseEndpoint,
  parseSubscription,
  subscriptionId,
  type Endpoint,
  type PushSubscriptionJson,
  type Subscription,
  type SubscriptionKey,
} from "./protocol/subscription.ts";
export {
  createKeyPair,
  keyPairOf,
  parseKeyPair,
  parseVapidPrivateKey,
  parseVapidPublicKey,
  type VapidKeyPair,
  type VapidPublicKey,
} from "./protocol/vapid.ts";
export { parseSubject, type ParsedSubject, type Subject } from "./protocol/subject.ts";
export { formatKeys, keyFormats, parseKeys, type KeyFormat } from "./protocol/key-formats.ts";
export { signToken, type TokenRequest } from "./protocol/vapid-token.ts";
export { encrypt, type MessageMaterial, type SealedMessage } from "./protocol/encryption.ts";
export { createReceiverKeys, decrypt, DecryptionError, type ReceiverKeys } from "./protocol/decryption.ts";
export {
  parseTopic,
  parseTtl,
  parseUrgency,
  type Message,
  type PushRequest,
  type Topic,
  type Urgency,
} from "./protocol/message.ts";
export { createPushRequest } from "./protocol/push-request.ts";
export { createPayload, type NotificationFields } from "./protocol/payload.ts";
export { serviceOf, type PushServiceFacts, type ServiceId } from "./protocol/services.ts";
export {
  classifyFailure,
  classifyResponse,
  diagnosisOf,
  type CauseId,
  type Delivery,
  type Diagnosis,
} from "./protocol/delivery.ts";
export { send, type SenderOptions } from "./sender/sender.ts";
export type { Job, Observer, SendResult } from "./sender/job.ts";
