/**
 * Releases of the compiler by the source id that its JavaScript build prints in place of a release number. Only for
 * these is it known that `--release` does nothing but drop `debug` expressions.
 */
export const RELEASES: ReadonlyMap<string, string> = new Map([['ifw0ilrx-4948ab0m-qqywmmsi-y0xqcjns', '1.10.1']]);
