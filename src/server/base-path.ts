/** Where the server's resources are; what `webpush scaffold` writes looks there. */
export const basePath = "/webpush";
