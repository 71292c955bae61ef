// What build/report-assets.ts makes: addresses of the parts that a report needs.
declare module 'virtual:report-assets' {
  export const cedar: string
  export const index: string
}
