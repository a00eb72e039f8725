/** What none of our logs may hold: a secret that we made, the start of a JWT, a code on its way back to a client. */
export const SECRETS = /cws_[\w-]{20}|eyJ[\w-]{20}|[?&]code=[\w-]{20}/
