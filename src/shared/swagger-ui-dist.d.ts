declare module 'swagger-ui-dist/absolute-path.js' {
  /** The folder of the package's files. */
  const getAbsoluteFSPath: () => string;
  export = getAbsoluteFSPath;
}
