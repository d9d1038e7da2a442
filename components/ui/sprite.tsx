/** All icons and glyphs, once per document; `Icon` and `Glyph` refer to them. Rendered on the server only. */
export function Sprite() {
  return (
    <svg width="0" height="0" className="sprite" aria-hidden="true">
      <title>Icons</title>
      <symbol id="i-overview" viewBox="0 0 16 16">
        <path d="M2.5 13.5h11M4 13.5V8M8 13.5v-11M12 13.5V6" />
      </symbol>
      <symbol id="i-services" viewBox="0 0 16 16">
        <rect x="2.5" y="3" width="11" height="4" rx="1" />
        <rect x="2.5" y="9" width="11" height="4" rx="1" />
        <path d="M5 5h.01M5 11h.01" />
      </symbol>
      <symbol id="i-pools" viewBox="0 0 16 16">
        <path d="M2.5 2v12M4.5 3h5a2 2 0 0 1 0 4h-5zM4.5 9h7a2 2 0 0 1 0 4h-7z" />
      </symbol>
      <symbol id="i-adv" viewBox="0 0 16 16">
        <path d="M8 9v5M5.2 11a4 4 0 0 1 0-5.6M10.8 11a4 4 0 0 0 0-5.6M3.2 13a6.8 6.8 0 0 1 0-9.6M12.8 13a6.8 6.8 0 0 0 0-9.6" />
        <circle cx="8" cy="8.2" r=".9" />
      </symbol>
      <symbol id="i-nodes" viewBox="0 0 16 16">
        <rect x="5.5" y="2" width="5" height="4" rx="1" />
        <rect x="1.5" y="10" width="5" height="4" rx="1" />
        <rect x="9.5" y="10" width="5" height="4" rx="1" />
        <path d="M8 6v2M4 10V8h8v2" />
      </symbol>
      <symbol id="i-traffic" viewBox="0 0 16 16">
        <path d="M1.5 12.5 5 8l3 2.5 3-6 3.5 4" />
      </symbol>
      <symbol id="i-health" viewBox="0 0 16 16">
        <path d="M1.5 8.5H5l1.5-4 3 7 1.5-3h3.5" />
      </symbol>
      <symbol id="i-activity" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="6" />
        <path d="M8 4.5V8l2.3 1.5" />
      </symbol>
      <symbol id="i-search" viewBox="0 0 16 16">
        <circle cx="7" cy="7" r="4.5" />
        <path d="m10.5 10.5 3 3" />
      </symbol>
      <symbol id="i-theme" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="5.5" />
        <path d="M8 2.5v11a5.5 5.5 0 0 0 0-11z" fill="currentColor" stroke="none" />
      </symbol>
      <symbol id="i-copy" viewBox="0 0 16 16">
        <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
        <path d="M3.5 10.5h-.5a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v.5" />
      </symbol>
      <symbol id="i-open" viewBox="0 0 16 16">
        <path d="M9.5 2.5h4v4M13 3 7.5 8.5M11.5 9.5v3a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1h3" />
      </symbol>
      <symbol id="i-arrow" viewBox="0 0 16 16">
        <path d="M2.5 8h11M9.5 4l4 4-4 4" />
      </symbol>
      <symbol id="i-chev" viewBox="0 0 16 16">
        <path d="m6 4 4 4-4 4" />
      </symbol>
      <symbol id="i-updn" viewBox="0 0 16 16">
        <path d="m5 6 3-3 3 3M5 10l3 3 3-3" />
      </symbol>
      <symbol id="i-plus" viewBox="0 0 16 16">
        <path d="M8 3v10M3 8h10" />
      </symbol>
      <symbol id="i-x" viewBox="0 0 16 16">
        <path d="m4 4 8 8M12 4l-8 8" />
      </symbol>
      <symbol id="i-stop" viewBox="0 0 16 16">
        <rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor" />
      </symbol>
      <symbol id="i-undo" viewBox="0 0 16 16">
        <path d="M5.5 3 2.5 6l3 3M2.5 6h7a4 4 0 0 1 0 8H7" />
      </symbol>
      <symbol id="i-neq" viewBox="0 0 16 16">
        <path d="M2.5 5.8h11M2.5 10.2h11M11 2.5l-6 11" />
      </symbol>
      <symbol id="i-eye" viewBox="0 0 16 16">
        <path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8z" />
        <circle cx="8" cy="8" r="1.8" />
      </symbol>
      <symbol id="g-ready" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="7" fill="currentColor" />
        <path
          d="m4.8 8.2 2.2 2.3 4.2-4.8"
          fill="none"
          stroke="var(--quay)"
          strokeWidth="1.8"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </symbol>
      <symbol id="g-pending" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" strokeWidth="1.6" />
        <path d="M8 3.8A4.2 4.2 0 0 1 8 12.2z" fill="currentColor" />
      </symbol>
      <symbol id="g-warning" viewBox="0 0 16 16">
        <path d="M7.1 1.9a1 1 0 0 1 1.8 0l6 11.2a1 1 0 0 1-.9 1.5H2a1 1 0 0 1-.9-1.5z" fill="currentColor" />
        <path d="M8 5.8v4M8 12.2v.1" stroke="var(--quay)" strokeWidth="1.8" strokeLinecap="round" />
      </symbol>
      <symbol id="g-failed" viewBox="0 0 16 16">
        <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="currentColor" />
        <path d="m5.5 5.5 5 5M10.5 5.5l-5 5" stroke="var(--quay)" strokeWidth="1.8" strokeLinecap="round" />
      </symbol>
      <symbol id="g-unknown" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" strokeWidth="1.6" strokeDasharray="2.6 2.27" />
        <path
          d="M6.3 6.5a1.7 1.7 0 1 1 2.5 1.6c-.5.3-.8.6-.8 1.2M8 11.3v.1"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
          strokeLinecap="round"
        />
      </symbol>
      <symbol id="g-skip" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" strokeWidth="1.3" />
        <path d="M5.2 8h5.6" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
      </symbol>
      <symbol id="g-lock" viewBox="0 0 16 16">
        <path
          d="M3.5 7.5h9v6h-9zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.7"
        />
      </symbol>
      <symbol id="g-bang" viewBox="0 0 16 16">
        <path d="M8 2.5v7M8 13v.1" stroke="currentColor" strokeWidth="2.6" strokeLinecap="round" />
      </symbol>
      <symbol id="g-clock" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="1.7" />
        <path d="M8 4.5V8l2.5 1.5" fill="none" stroke="currentColor" strokeWidth="1.7" />
      </symbol>
      <symbol id="g-ask" viewBox="0 0 16 16">
        <path d="M2.5 8h9M8 4l4 4-4 4" fill="none" stroke="currentColor" strokeWidth="2" />
      </symbol>
      <symbol id="i-more" viewBox="0 0 16 16">
        <path d="M3.5 8h.01M8 8h.01M12.5 8h.01" strokeWidth="2.2" />
      </symbol>
      <symbol id="i-sun" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="2.8" />
        <path d="M8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.500M3.400 3.400l1.100 1.100M11.500 11.500l1.100 1.100M3.400 12.600l1.100-1.100M11.500 4.500l1.100-1.100" />
      </symbol>
      <symbol id="i-moon" viewBox="0 0 16 16">
        <path d="M13.200 9.600A5.600 5.600 0 1 1 6.400 2.800a4.500 4.500 0 0 0 6.800 6.800z" />
      </symbol>
      <symbol id="i-play" viewBox="0 0 16 16">
        <path d="M5 3.500v9l7.500-4.500z" fill="currentColor" />
      </symbol>
      <symbol id="i-power" viewBox="0 0 16 16">
        <path d="M8 2v5.500M4.700 4.300a5 5 0 1 0 6.600 0" />
      </symbol>
      <symbol id="i-edit" viewBox="0 0 16 16">
        <path d="M10.500 3 13 5.500 5.800 12.700l-3.300.8.8-3.300zM9 4.500 11.500 7" />
      </symbol>
      <symbol id="i-trash" viewBox="0 0 16 16">
        <path d="M3 4.500h10M6.500 4.500V3h3v1.500M4.500 4.500l.6 8.500h5.800l.6-8.500M6.800 7v3.500M9.200 7v3.500" />
      </symbol>
      <symbol id="i-check" viewBox="0 0 16 16">
        <path d="m3 8.500 3.200 3.200L13 4.800" />
      </symbol>
      <symbol id="i-log" viewBox="0 0 16 16">
        <path d="M2.500 4h11M2.500 8h8M2.500 12h9.500" />
      </symbol>
    </svg>
  );
}
