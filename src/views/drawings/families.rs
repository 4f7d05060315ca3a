//! The things that can be drawn, each standing on the same floor in the same light.
//!
//! A shape is a piece of SVG in a frame of 400 by 300 whose floor is at 246. It names no colour
//! of its own but paints with the gradients that [`super::palette`] defines: `b` body, `a`
//! accent, `m` metal, `k` rubber, `w` white, `c` card, `o` wood, `g` glass, `h` high visibility;
//! `{b}`, `{d}` and `{a}` are flat tones of body and accent, `{k}` the darkest one.

/// One thing that can be drawn.
#[derive(Debug)]
pub struct Family {
    /// As addresses have it.
    pub name: &'static str,
    /// Beginnings of words that tell of it, in lower case; earlier families win.
    pub words: &'static [&'static str],
    /// Where its shadow lies: the middle and half the width.
    pub(super) shadow: (u16, u16),
    pub(super) shape: &'static str,
}

macro_rules! families {
    ($($name:literal [$($word:literal),* $(,)?] ($x:literal, $w:literal) $shape:literal)*) => {
        /// Every family; the last is what is drawn for all else.
        pub const FAMILIES: &[Family] = &[$(Family {
            name: $name,
            words: &[$($word),*],
            shadow: ($x, $w),
            shape: $shape,
        }),*];
    };
}

families! {
"battery" ["batter", "power bank", "charger", "accumulator"] (200, 92) r##"
<path fill="url(#m)" d="M146 70h28v14h-28zM226 70h28v14h-28z"/>
<rect x="124" y="80" width="72" height="166" rx="10" fill="url(#k)"/><rect x="204" y="80" width="72" height="166" rx="10" fill="url(#k)"/>
<path fill="url(#a)" d="M134 80h52a10 10 0 0 1 10 10v50h-72V90a10 10 0 0 1 10-10zM214 80h52a10 10 0 0 1 10 10v50h-72V90a10 10 0 0 1 10-10z"/>
<path fill="#fff" opacity=".9" d="M155 98h10v8h8v10h-8v8h-10v-8h-8v-10h8zM235 98h10v8h8v10h-8v8h-10v-8h-8v-10h8z"/>
<path fill="#fff" opacity=".18" d="M134 84h10v158h-10zM214 84h10v158h-10z"/>"##

"drill" ["drill", "power tool", "impact driver", "rotary"] (176, 104) r##"
<rect x="292" y="117" width="66" height="9" rx="3" fill="url(#m)"/><path fill="url(#m)" d="M350 117l14 4.5-14 4.5z"/>
<path fill="url(#k)" d="M258 100h22l18 8v27l-18 8h-22z"/><path fill="#fff" opacity=".2" d="M258 103h22l16 7h-38z"/>
<path fill="url(#k)" d="M134 142h56l-14 78h-50z"/>
<path fill="url(#b)" d="M124 84h114c16 0 26 10 26 26v18c0 16-10 26-26 26h-44l-8 12h-54l-4-12h-6c-14 0-22-8-22-22v-26c0-14 10-22 24-22z"/>
<path fill="url(#a)" d="M190 154h20c2 14-4 26-16 34h-10z"/>
<path fill="url(#k)" d="M104 212h92c8 0 12 4 12 11v16c0 4-3 7-7 7h-98c-5 0-9-4-8-9l1-15c0-6 3-10 8-10z"/><path fill="url(#a)" d="M96 226h112v8H95z"/>
<path stroke="{d}" stroke-width="5" stroke-linecap="round" d="M122 104v28M136 104v28M150 104v28"/>
<circle cx="226" cy="119" r="15" fill="{d}" opacity=".5"/><path fill="#fff" opacity=".28" d="M124 88h112c9 0 16 4 20 11H108c3-7 9-11 16-11z"/>"##

"hammer" ["hammer", "mallet", "hand tool"] (206, 88) r##"
<g transform="rotate(24 200 160)"><rect x="188" y="84" width="26" height="100" rx="5" fill="url(#o)"/>
<path fill="url(#b)" d="M186 160h30l5 88c1 10-5 16-14 16h-12c-9 0-15-6-14-16z"/>
<path stroke="{d}" stroke-width="4" stroke-linecap="round" d="M187 190h28M186 206h30M185 222h32"/>
<path fill="url(#m)" d="M116 58h22l6 6h86c28 2 50 14 62 40-20-12-40-16-62-12l-8 6h-78l-6 6h-22c-5 0-8-3-8-8V66c0-5 3-8 8-8z"/>
<path fill="#fff" opacity=".5" d="M116 62h20l6 6h84c18 1 34 8 46 20-16-7-32-9-50-8h-84l-6-6h-20z"/></g>"##

"spanner" ["spanner", "wrench", "socket"] (200, 84) r##"
<g transform="rotate(38 200 156)"><path fill="url(#m)" d="M178 110l-14-22c-8-14-4-34 12-44v34l24 16 24-16V44c16 10 20 30 12 44l-14 22v96c14 8 20 24 14 40-5 13-18 22-34 22h-4c-16 0-29-9-34-22-6-16 0-32 14-40z"/>
<circle cx="200" cy="234" r="17" fill="{k}" opacity=".55"/><rect x="190" y="120" width="20" height="78" rx="10" fill="url(#b)"/>
<path fill="#fff" opacity=".45" d="M182 112l-12-22c-4-9-3-19 2-28v20l10 8z"/></g>"##

"anchor" ["anchor", "wall plug", "mortar", "dowel"] (200, 92) r##"
<g transform="rotate(-14 150 160)"><path fill="url(#b)" d="M128 84h48c5 0 8 3 8 8v10h-8v118l-12 26h-24l-12-26V102h-8V92c0-5 3-8 8-8z"/><path fill="{d}" opacity=".55" d="M148 104h8v130h-8zM122 128h60v7h-60zM122 150h60v7h-60zM122 172h60v7h-60zM124 194h56v7h-56z"/><path fill="#fff" opacity=".3" d="M130 88h12v120h-8V102h-6z"/></g>
<g transform="rotate(12 252 160)"><path fill="url(#m)" d="M228 78c0-9 12-14 26-14s26 5 26 14v10h-52z"/><path fill="url(#m)" d="M242 88h24v132l-12 26-12-26z"/><path fill="none" stroke="{k}" stroke-opacity=".4" stroke-width="5" stroke-linecap="round" d="M240 112l28-8M240 128l28-8M240 144l28-8M240 160l28-8M240 176l28-8M240 192l28-8M241 208l26-8"/></g>"##

"bolt" ["bolt", "nut", "threaded"] (200, 104) r##"
<path fill="url(#m)" d="M94 96l34-16h46l34 16v34l-34 16h-46l-34-16z"/><path fill="#fff" opacity=".5" d="M94 96l34-16h46l34 16-34 16h-46z"/><path fill="{k}" opacity=".2" d="M128 112h46v34h-46z"/><path fill="url(#m)" d="M128 142h46v96c0 5-3 8-8 8h-30c-5 0-8-3-8-8z"/><path fill="none" stroke="{k}" stroke-opacity=".4" stroke-width="4" d="M128 176l46-7M128 190l46-7M128 204l46-7M128 218l46-7M128 232l46-7"/>
<path fill="url(#m)" d="M222 196l26-16h44l26 16v32l-26 18h-44l-26-18z"/><path fill="#fff" opacity=".5" d="M222 196l26-16h44l26 16-26 18h-44z"/><path fill="{k}" opacity=".2" d="M248 214h44v32h-44z"/><ellipse cx="270" cy="196" rx="22" ry="9" fill="{k}" opacity=".7"/><path fill="none" stroke="url(#a)" stroke-width="4" d="M248 197c2 6 10 9 22 9s20-3 22-9"/>"##

"washer" ["washer", "gasket", "o-ring", "seal ring", "spacer"] (200, 112) r##"
<g><ellipse cx="170" cy="206" rx="82" ry="36" fill="{k}" opacity=".55"/><path fill="url(#m)" fill-rule="evenodd" d="M170 160c45 0 82 16 82 36s-37 36-82 36-82-16-82-36 37-36 82-36zm0 22c-18 0-32 6-32 14s14 14 32 14 32-6 32-14-14-14-32-14z"/><path fill="#fff" opacity=".5" d="M92 190c6-16 38-28 78-28-38 4-64 14-72 32-3 6-6 2-6-4z"/></g>
<g transform="rotate(16 256 170)"><ellipse cx="262" cy="166" rx="48" ry="76" fill="{k}" opacity=".55"/><path fill="url(#m)" fill-rule="evenodd" d="M254 90c27 0 48 34 48 76s-21 76-48 76-48-34-48-76 21-76 48-76zm0 44c-11 0-20 14-20 32s9 32 20 32 20-14 20-32-9-32-20-32z"/><path fill="none" stroke="url(#a)" stroke-width="5" d="M254 132c12 0 22 15 22 34s-10 34-22 34"/></g>"##

"screwdriver" ["screwdriver", "impact bit", "hex key"] (206, 112) r##"
<g transform="rotate(-30 200 160)"><path fill="url(#m)" d="M206 153h118l14 4v8l-14 4H206z"/><path fill="{k}" opacity=".35" d="M206 162h118l14 1v2l-14 4H206z"/><path fill="url(#k)" d="M190 146h20c4 0 6 3 6 6v18c0 3-2 6-6 6h-20z"/>
<path fill="url(#b)" d="M76 132h84c10 0 14 6 22 10 6 3 12 4 12 9v20c0 5-6 6-12 9-8 4-12 10-22 10H76c-14 0-22-10-22-29s8-29 22-29z"/><path fill="url(#a)" d="M76 132c-14 0-22 10-22 29s8 29 22 29h8v-58z"/><path fill="{d}" opacity=".5" d="M98 144h62v7H98zM98 158h68v7H98zM98 172h62v7H98z"/><path fill="#fff" opacity=".3" d="M76 136h84c8 0 12 4 18 8H64c3-5 7-8 12-8z"/></g>"##

"pliers" ["plier", "cutters", "pincer", "crimp", "nipper"] (200, 84) r##"
<g transform="rotate(8 200 160)"><path fill="none" stroke="url(#b)" stroke-width="24" stroke-linecap="round" d="M184 138c-26 20-40 50-40 94M216 138c26 20 40 50 40 94"/><path fill="none" stroke="#fff" stroke-opacity=".3" stroke-width="5" stroke-linecap="round" d="M172 146c-20 20-32 48-34 82M228 150c18 18 26 42 28 66"/><path fill="none" stroke="url(#a)" stroke-width="24" stroke-linecap="round" d="M145 222l-1 10M255 222l1 10"/>
<path fill="url(#m)" d="M196 44c-16 14-26 36-26 60 0 12 2 22 8 32l22 14 22-14c6-10 8-20 8-32 0-24-10-46-26-60v48h-8z"/><path fill="{k}" opacity=".35" d="M196 44h8v64l-4 6-4-6zM192 70h5v4h-5zM192 80h5v4h-5zM203 70h5v4h-5zM203 80h5v4h-5z"/><circle cx="200" cy="126" r="16" fill="url(#m)" stroke="{k}" stroke-opacity=".4" stroke-width="3"/><circle cx="200" cy="126" r="5" fill="{k}" opacity=".6"/><path fill="#fff" opacity=".5" d="M190 58c-10 14-15 30-15 46 0 6 1 12 3 18l6-2c-2-22 0-42 6-62z"/></g>"##

"grinder" ["grinder", "grinding", "cutting disc", "sander", "sanding", "abrasive", "polish"] (196, 124) r##"
<circle cx="110" cy="176" r="68" fill="url(#k)"/><circle cx="110" cy="176" r="62" fill="none" stroke="#fff" stroke-opacity=".14" stroke-width="3"/><circle cx="110" cy="176" r="26" fill="url(#a)"/><path fill="url(#m)" d="M46 158a66 66 0 0 1 128-2l-22 8a44 44 0 0 0-84 0z"/><circle cx="110" cy="176" r="9" fill="url(#m)"/>
<path fill="url(#k)" d="M112 128h60v60h-34c-10 0-26-8-26-24z"/><path fill="url(#b)" d="M162 122h110c44 0 68 12 80 22 8 8 8 28 0 36-12 10-36 16-80 16H162c-8 0-14-6-14-14v-46c0-8 6-14 14-14z"/><path fill="url(#k)" d="M268 124h6c42 1 66 12 78 20 8 8 8 28 0 36-12 9-36 15-78 16h-6c8-24 8-48 0-72z"/><path fill="url(#a)" d="M216 116h46c5 0 8 3 8 7v7h-62v-7c0-4 3-7 8-7z"/><path stroke="{d}" stroke-width="5" stroke-linecap="round" d="M174 142v34M188 142v34M202 142v34"/><path fill="#fff" opacity=".28" d="M162 126h104c30 0 54 6 70 14H150v-4c0-6 6-10 12-10z"/><path fill="url(#k)" d="M132 84h22c5 0 8 4 8 9v36h-38V93c0-5 3-9 8-9z"/>"##

"measure" ["tape measure", "measur", "level", "ruler", "caliper", "laser"] (196, 108) r##"
<path fill="url(#h)" d="M240 222h96v16h-96z"/><path stroke="{k}" stroke-opacity=".75" stroke-width="2.5" d="M256 222v9M266 222v6M276 222v9M286 222v6M296 222v9M306 222v6M316 222v9M326 222v6"/><path fill="url(#m)" d="M334 216h8v30h-8z"/>
<path fill="url(#b)" d="M150 70h58c44 0 70 34 70 84v76c0 9-6 16-16 16H112c-10 0-18-7-18-17v-100c0-36 20-59 56-59z"/><path fill="url(#k)" d="M94 206h184v24c0 9-6 16-16 16H112c-10 0-18-7-18-17z"/><circle cx="180" cy="150" r="50" fill="url(#k)"/><circle cx="180" cy="150" r="40" fill="url(#a)"/><path stroke="#fff" stroke-width="7" stroke-linecap="round" d="M164 150h32M180 134v32" opacity=".9"/><path fill="#fff" opacity=".28" d="M150 75h58c26 0 46 14 57 38-14-18-34-26-58-26h-58c-22 0-38 10-48 28 6-26 22-40 49-40z"/>"##

"instrument" ["instrument", "balance", "scale", "meter", "gauge", "test equipment", "tester", "thermometer"] (200, 116) r##"
<ellipse cx="200" cy="112" rx="96" ry="22" fill="{k}" opacity=".35"/><ellipse cx="200" cy="104" rx="96" ry="22" fill="url(#m)"/><ellipse cx="200" cy="101" rx="82" ry="16" fill="#fff" opacity=".5"/><path fill="url(#k)" d="M180 122h40v22h-40z"/>
<path fill="url(#w)" d="M118 140h164c12 0 20 7 22 18l12 72c2 10-4 16-14 16H98c-10 0-16-6-14-16l12-72c2-11 10-18 22-18z"/><path fill="url(#b)" d="M86 222h228l2 8c2 10-4 16-14 16H98c-10 0-16-6-14-16z"/><rect x="124" y="160" width="108" height="44" rx="6" fill="url(#k)"/><rect x="130" y="166" width="96" height="32" rx="3" fill="#cfe3d4"/><path fill="none" stroke="{k}" stroke-width="4" stroke-linecap="round" d="M150 174v18M162 174h12v9h-12v9h12M186 174v9h12M198 174v18M210 192h.1"/><circle cx="256" cy="172" r="9" fill="url(#a)"/><circle cx="280" cy="172" r="9" fill="url(#m)"/><rect x="247" y="190" width="42" height="11" rx="5.5" fill="url(#m)"/>"##

"connector" ["connector", "plug", "socket outlet", "coupler", "switch", "terminal"] (204, 116) r##"
<path fill="url(#m)" d="M300 118h44c5 0 8 3 8 7s-3 7-8 7h-44zM300 152h44c5 0 8 3 8 7s-3 7-8 7h-44zM300 186h44c5 0 8 3 8 7s-3 7-8 7h-44z"/><path fill="none" stroke="url(#k)" stroke-width="22" stroke-linecap="round" d="M128 160c-34 0-50 20-62 78"/>
<path fill="url(#a)" d="M276 92h30c6 0 10 4 10 10v116c0 6-4 10-10 10h-30z"/><path fill="url(#b)" d="M182 100h96v120h-96c-14 0-22-8-30-20l-22-18c-8-6-10-38 0-44l22-18c8-12 16-20 30-20z"/><path fill="{d}" opacity=".5" d="M186 112h6v96h-6zM202 110h6v100h-6zM218 110h6v100h-6zM234 110h6v100h-6z"/><path fill="url(#k)" d="M112 140h26v40h-26c-6 0-9-3-9-8v-24c0-5 3-8 9-8z"/><path fill="#fff" opacity=".28" d="M182 104h94v9h-94c-12 0-20 6-26 16 4-14 12-25 26-25z"/>"##

"film" ["film", "wrap", "foil", "bubble", "cushion"] (200, 92) r##"
<path fill="url(#g)" opacity=".75" d="M228 62h84c8 0 12 6 10 16-8 40-8 100 4 144 4 12 2 24-10 24h-88z"/><path fill="none" stroke="#fff" stroke-opacity=".8" stroke-width="3" d="M250 70c-4 60-4 110 2 168M276 70c-6 60-4 110 4 168M300 70c-6 54-4 110 6 166"/>
<path fill="url(#g)" d="M118 62h112c16 0 28 42 28 92s-12 92-28 92H118z"/><path fill="url(#b)" opacity=".35" d="M118 62h112c16 0 28 42 28 92s-12 92-28 92H118z"/><ellipse cx="118" cy="154" rx="38" ry="92" fill="url(#g)"/><ellipse cx="118" cy="154" rx="38" ry="92" fill="url(#b)" opacity=".3"/><ellipse cx="118" cy="154" rx="20" ry="48" fill="url(#c)"/><ellipse cx="118" cy="154" rx="13" ry="34" fill="{k}" opacity=".65"/><path fill="#fff" opacity=".5" d="M140 70h94c6 2 10 8 13 16H150z"/>"##

"bag" ["bag", "sack", "pouch", "mailer", "refuse"] (200, 84) r##"
<path fill="url(#b)" d="M126 62h148c6 0 10 4 10 10v162c0 7-5 12-12 12H128c-7 0-12-5-12-12V72c0-6 4-10 10-10z"/><path fill="{d}" opacity=".28" d="M116 84l84 62 84-62v150c0 7-5 12-12 12H128c-7 0-12-5-12-12z"/><path fill="url(#b)" d="M126 62h148c6 0 10 4 10 10v6l-76 58c-5 4-11 4-16 0l-76-58v-6c0-6 4-10 10-10z"/><path fill="#fff" opacity=".2" d="M126 62h148c6 0 10 4 10 10v4H116v-4c0-6 4-10 10-10z"/>
<path fill="url(#w)" d="M146 172h108v52H146z"/><path fill="url(#a)" d="M146 172h14v52h-14z"/><path stroke="{k}" stroke-opacity=".4" stroke-width="5" stroke-linecap="round" d="M174 190h60M174 206h40"/>"##

"bin" ["bin", "container", "crate", "tray", "basket"] (200, 120) r##"
<path fill="{d}" d="M96 98h208l-10 40H106z"/><path fill="{k}" opacity=".3" d="M108 108h184l-8 34H116z"/><path fill="url(#b)" d="M78 98h26l18 44h156l18-44h26c5 0 8 4 7 9l-18 129c-1 6-6 10-12 10H101c-6 0-11-4-12-10L71 107c-1-5 2-9 7-9z"/><path fill="#fff" opacity=".25" d="M78 98h26l3 7H76c-1-3 0-6 2-7zM296 98h26c2 1 3 4 2 7h-31zM122 142h156v6H122z"/><path fill="{d}" opacity=".45" d="M88 212h224l-2 12H90zM120 142h6v104h-6zM274 142h6v104h-6z"/><path fill="url(#w)" d="M154 164h92c3 0 5 2 5 5v28c0 3-2 5-5 5h-92c-3 0-5-2-5-5v-28c0-3 2-5 5-5z"/><path fill="url(#a)" d="M149 169c0-3 2-5 5-5h12v38h-12c-3 0-5-2-5-5z"/><path stroke="{k}" stroke-opacity=".45" stroke-width="5" stroke-linecap="round" d="M180 177h54M180 190h34"/>"##

"cloth" ["cloth", "wipe", "wiping", "towel", "tissue", "roll paper"] (200, 116) r##"
<path fill="url(#b)" d="M92 206c0-8 6-12 14-12h188c10 0 16 6 16 14v24c0 9-6 14-16 14H106c-9 0-14-5-14-14z"/><path fill="url(#a)" d="M98 162c0-8 6-12 14-12h176c10 0 16 6 16 14v22c0 9-6 14-16 14H112c-9 0-14-5-14-14z"/><path fill="url(#w)" d="M104 118c0-8 6-12 14-12h164c10 0 16 6 16 14v22c0 9-6 14-16 14H118c-9 0-14-5-14-14z"/>
<path fill="none" stroke="{k}" stroke-opacity=".25" stroke-width="3" stroke-linecap="round" d="M106 220h172c10 0 10 14 0 14M112 176h162c10 0 10 14 0 14M118 132h150c10 0 10 14 0 14"/><path fill="#fff" opacity=".35" d="M112 110h170c6 0 10 3 12 7H108c0-4 2-7 4-7zM106 154h182c6 0 10 3 12 7H102c0-4 2-7 4-7zM100 198h194c6 0 10 3 12 7H96c0-4 2-7 4-7z"/>"##

"desk" ["desk", "table", "workbench", "bench"] (200, 132) r##"
<path fill="url(#k)" d="M104 120h18v112h-18zM278 120h18v112h-18z"/><path fill="url(#k)" d="M84 232h58c5 0 8 3 8 7s-3 7-8 7H84c-5 0-8-3-8-7s3-7 8-7zM258 232h58c5 0 8 3 8 7s-3 7-8 7h-58c-5 0-8-3-8-7s3-7 8-7z"/><path fill="{k}" opacity=".5" d="M122 136h156v9H122z"/>
<path fill="url(#o)" d="M66 104h268c5 0 9 4 9 9s-4 10-9 10H66c-5 0-9-5-9-10s4-9 9-9z"/><path fill="#fff" opacity=".35" d="M66 104h268c4 0 7 2 8 5H58c1-3 4-5 8-5z"/><path fill="url(#b)" d="M226 123h58v30h-58z"/><path fill="{d}" d="M246 135h18v5h-18z"/>
<path fill="url(#a)" d="M92 78h22l-3 26H95z"/><path fill="none" stroke="{d}" stroke-width="3" stroke-linecap="round" d="M99 78l-5-16M105 78V56M109 78l5-14"/><path fill="url(#k)" d="M186 52h92c4 0 6 2 6 6v34c0 4-2 6-6 6h-92c-4 0-6-2-6-6V58c0-4 2-6 6-6zM226 96h12v8h-12z"/><path fill="url(#b)" d="M186 58h92v34h-92z"/>"##

"pipette" ["pipette", "dispens", "dosing"] (200, 84) r##"
<g transform="rotate(22 200 150)"><path fill="url(#w)" d="M194 168h12l-2 74-4 16-4-16z" stroke="{k}" stroke-opacity=".25" stroke-width="1.5"/><path fill="url(#a)" opacity=".8" d="M195 214h10l-1 28-4 16-4-16z"/><path fill="url(#k)" d="M190 138h20v34h-20z"/><path fill="url(#b)" d="M182 58h36c6 0 10 4 10 10v44c0 16-8 28-18 30h-20c-10-2-18-14-18-30V68c0-6 4-10 10-10z"/><path fill="url(#b)" d="M222 62h18c8 0 12 6 10 14l-2 6-24 2z"/><path fill="url(#a)" d="M188 30h24c4 0 6 2 6 6v10h-10v14h-16V46h-10V36c0-4 2-6 6-6z"/><rect x="188" y="80" width="16" height="40" rx="4" fill="url(#w)"/><path stroke="{k}" stroke-opacity=".6" stroke-width="3" stroke-linecap="round" d="M193 90h6M193 100h6M193 110h6"/><path fill="#fff" opacity=".35" d="M180 64h5v54h-5z"/></g>"##

"vial" ["vial", "sample", "test tube", "ampoule"] (200, 108) r##"
<g><path fill="url(#g)" d="M92 108h56v122c0 9-6 16-16 16h-24c-10 0-16-7-16-16z"/><path fill="url(#a)" opacity=".85" d="M92 168h56v62c0 9-6 16-16 16h-24c-10 0-16-7-16-16z"/><rect x="86" y="74" width="68" height="36" rx="6" fill="url(#b)"/></g><g><path fill="url(#g)" d="M172 108h56v122c0 9-6 16-16 16h-24c-10 0-16-7-16-16z"/><path fill="url(#b)" opacity=".7" d="M172 142h56v88c0 9-6 16-16 16h-24c-10 0-16-7-16-16z"/><rect x="166" y="74" width="68" height="36" rx="6" fill="url(#b)"/></g><g><path fill="url(#g)" d="M252 108h56v122c0 9-6 16-16 16h-24c-10 0-16-7-16-16z"/><path fill="url(#a)" opacity=".85" d="M252 192h56v38c0 9-6 16-16 16h-24c-10 0-16-7-16-16z"/><rect x="246" y="74" width="68" height="36" rx="6" fill="url(#b)"/></g>
<path fill="url(#w)" d="M92 150h56v34H92zM172 180h56v34h-56zM252 134h56v34h-56z"/><path stroke="{k}" stroke-opacity=".4" stroke-width="4" stroke-linecap="round" d="M104 162h32M104 172h20M184 192h32M184 202h20M264 146h32M264 156h20"/><path fill="#fff" opacity=".5" d="M98 112h6v120h-6zM178 112h6v120h-6zM258 112h6v120h-6zM92 78h8v28h-8zM172 78h8v28h-8zM252 78h8v28h-8z"/><path stroke="{d}" stroke-opacity=".5" stroke-width="3" d="M110 78v28M122 78v28M134 78v28M190 78v28M202 78v28M214 78v28M270 78v28M282 78v28M294 78v28"/>"##

"trolley" ["trolley", "truck", "cart", "dolly", "pallet truck", "handling", "castor"] (200, 136) r##"
<path fill="none" stroke="url(#a)" stroke-width="12" stroke-linecap="round" stroke-linejoin="round" d="M98 200L76 66c-1-8 2-12 10-12h26"/><path fill="none" stroke="url(#a)" stroke-width="9" d="M84 108h50l12 92"/><path fill="none" stroke="url(#a)" stroke-width="10" stroke-linecap="round" stroke-linejoin="round" d="M112 54c10 0 14 4 15 12l19 134"/>
<g fill="url(#c)"><path d="M172 130h84v64h-84z"/><path d="M262 152h58v42h-58z"/></g><path fill="{k}" opacity=".14" d="M172 130h84v9h-84zM262 152h58v7h-58z"/><path fill="url(#b)" d="M204 130h18v64h-18z" opacity=".85"/>
<path fill="url(#b)" d="M84 194h256c6 0 10 4 10 9s-4 11-10 11H84c-6 0-10-6-10-11s4-9 10-9z"/><path fill="#fff" opacity=".28" d="M84 194h256c4 0 7 2 8 5H76c1-3 4-5 8-5z"/><g fill="{k}"><circle cx="112" cy="230" r="16"/><circle cx="312" cy="230" r="16"/></g><g fill="url(#m)"><circle cx="112" cy="230" r="7"/><circle cx="312" cy="230" r="7"/></g>"##

"saw" ["saw", "blade", "cutter", "knife", "knive"] (204, 124) r##"
<path fill="url(#m)" d="M158 120l206 82-6 18-9-9-4 9-9-9-4 9-9-9-4 9-9-9-4 9-9-9-4 9-9-9-4 9-9-9-4 9-9-9-4 9-9-9-4 9-9-9-4 9-9-9-4 9-9-9-4 9-18-4z"/>
<path fill="#fff" opacity=".45" d="M160 122l200 79-2 6-198-68z"/>
<path fill="url(#b)" fill-rule="evenodd" d="M60 112c16-18 44-20 66-10l44 20c8 4 10 10 8 18l-22 74c-4 14-16 22-30 22-12 0-24-6-32-16l-40-60c-10-16-8-34 6-48zm26 26c-8 8-8 16-2 26l28 42c6 8 16 6 19-3l14-45c1-5 0-8-5-10l-28-13c-10-5-19-4-26 3z"/>
<path fill="#fff" opacity=".25" d="M62 116c16-15 42-16 62-7l44 20-2 4-44-19c-20-8-44-6-58 8z"/>"##

"screw" ["screw", "fasten", "fixing", "nail", "rivet"] (200, 96) r##"
<g id="s"><path fill="url(#m)" d="M110 82c0-10 16-16 36-16s36 6 36 16v12c0 8-10 14-22 16h-28c-12-2-22-8-22-16z"/><ellipse cx="146" cy="82" rx="36" ry="15" fill="#fff" opacity=".5"/><path fill="{k}" opacity=".6" d="M128 79h36v6h-36zM143 72h6v20h-6z"/>
<path fill="url(#m)" d="M134 108h24v110l-12 28-12-28z"/><path fill="none" stroke="{k}" stroke-opacity=".45" stroke-width="5" stroke-linecap="round" d="M131 132l30-8M131 148l30-8M131 164l30-8M131 180l30-8M131 196l30-8M133 212l26-7M137 227l18-5"/></g>
<path fill="url(#m)" d="M254 246c-22 0-38-6-38-18v-18l20-18h36l22 18v18c0 12-18 18-40 18z"/><ellipse cx="254" cy="206" rx="38" ry="17" fill="#fff" opacity=".45"/><ellipse cx="254" cy="207" rx="18" ry="8" fill="{k}" opacity=".75"/>
<path fill="none" stroke="url(#a)" stroke-width="4" d="M216 228c4 10 20 14 38 14s36-4 40-14"/>"##

"ladder" ["ladder", "step", "scaffold", "platform"] (200, 96) r##"
<path fill="none" stroke="{k}" stroke-opacity=".55" stroke-width="9" stroke-linecap="round" d="M196 62l-70 176M206 62l-56 176"/>
<path stroke="{k}" stroke-opacity=".5" stroke-width="7" d="M146 200h18M158 160h20M172 118h18"/>
<path fill="none" stroke="url(#m)" stroke-width="12" stroke-linecap="round" d="M188 60l38 180M224 60l62 180"/>
<path stroke="url(#a)" stroke-width="13" stroke-linecap="round" d="M200 96h34M208 134h38M216 172h42M224 210h48"/>
<path fill="url(#b)" d="M174 46h64c8 0 12 5 12 12s-4 12-12 12h-64c-8 0-12-5-12-12s4-12 12-12z"/><path fill="url(#k)" d="M216 234h22v12h-22zM276 234h22v12h-22zM114 236h22v10h-22zM142 236h18v10h-18z"/>"##

"glove" ["glove", "mitten", "hand protection"] (200, 74) r##"
<rect x="98" y="136" width="34" height="92" rx="17" fill="url(#b)" stroke="{d}" stroke-width="2" transform="rotate(-34 115 182)"/>
<g fill="url(#b)" stroke="{d}" stroke-width="2"><rect x="140" y="82" width="31" height="110" rx="15.5"/><rect x="171" y="58" width="32" height="130" rx="16"/><rect x="203" y="66" width="31" height="120" rx="15.5"/><rect x="234" y="92" width="28" height="96" rx="14"/></g>
<path fill="url(#b)" d="M141 150h120v48c0 18-10 30-26 30h-66c-18 0-34-14-34-34z"/>
<path fill="url(#a)" opacity=".92" d="M142 108h28V98a14 14 0 0 0-28 0zM173 88h29V74a14.5 14.5 0 0 0-29 0zM205 94h28V82a14 14 0 0 0-28 0zM236 116h25v-10a12.5 12.5 0 0 0-25 0z"/>
<path fill="url(#k)" d="M156 212h88c6 0 9 4 9 9v16c0 6-3 9-9 9h-88c-6 0-9-3-9-9v-16c0-5 3-9 9-9z"/><path fill="url(#a)" d="M147 224h106v9H147z"/>"##

"helmet" ["helmet", "hard hat", "head protection", "bump cap", "safety", "protective", "protection", "ppe"] (200, 124) r##"
<path fill="url(#b)" d="M92 200c0-66 48-118 108-118s108 52 108 118z"/>
<path fill="{d}" opacity=".35" d="M176 84c2-12 46-12 48 0l10 116h-68z"/><path fill="url(#b)" d="M182 80c2-10 34-10 36 0l8 120h-52z"/>
<path fill="url(#b)" d="M74 198h252c12 0 18 10 12 20-5 10-14 14-26 14H88c-12 0-21-4-26-14-6-10 0-20 12-20z"/><path fill="{d}" opacity=".45" d="M62 216c5 10 14 16 26 16h224c12 0 21-6 26-16-2 16-14 26-32 28-60 4-152 4-212 0-18-2-30-12-32-28z"/>
<path fill="#fff" opacity=".32" d="M112 178c4-42 26-70 58-84-22 22-34 50-36 84z"/><circle cx="200" cy="160" r="15" fill="url(#a)"/><path fill="#fff" opacity=".9" d="M197 151h6v6h6v6h-6v6h-6v-6h-6v-6h6z"/>"##

"garment" ["garment", "vest", "hi-vis", "high visib", "workwear", "jacket", "clothing", "coverall", "apron", "trouser", "shirt"] (200, 78) r##"
<path fill="{k}" opacity=".35" d="M170 56c8 26 52 26 60 0l-8 60h-44z"/>
<path fill="url(#h)" d="M150 60l26-12c4 40 12 66 24 84 12-18 20-44 24-84l26 12c10 5 16 14 20 26 4 16 2 30-4 44v108c0 5-3 8-8 8h-56l-2-8-2 8h-56c-5 0-8-3-8-8V130c-6-14-8-28-4-44 4-12 10-21 20-26z"/>
<path fill="url(#m)" d="M134 150h132v18H134zM134 196h132v18H134zM148 61l16-7 4 96h-16zM252 61l-16-7-4 96h16z"/>
<path fill="#fff" opacity=".5" d="M134 152h132v4H134zM134 198h132v4H134z"/><path stroke="{k}" stroke-opacity=".5" stroke-width="2.5" d="M200 132v112"/>"##

"boot" ["boot", "shoe", "footwear"] (200, 124) r##"
<path fill="url(#b)" d="M128 68h84l4 70c2 18 14 26 36 32 34 8 54 20 56 50H112c2-20 10-34 12-60z"/>
<path fill="{d}" opacity=".4" d="M252 170c34 8 54 20 56 50h-62c-4-22-2-38 6-50z"/>
<path fill="url(#k)" d="M106 218h206c6 0 8 4 7 10l-2 10c-1 5-4 8-9 8h-24l-4-8H178l-6 8h-58c-6 0-9-3-9-8l-3-10c-1-6 0-10 4-10z"/>
<path fill="url(#a)" d="M126 58h88v18h-88z"/><path fill="none" stroke="#fff" stroke-opacity=".85" stroke-width="5" stroke-linecap="round" d="M182 96h34M184 116h34M188 136h36M198 154h36"/><path fill="#fff" opacity=".22" d="M136 80h16l-6 70c-2 20-8 38-12 66h-16c4-22 10-38 12-66z"/>"##

"eyewear" ["goggle", "spectacle", "glasses", "eyewear", "eye protection", "visor", "optic"] (200, 120) r##"
<path fill="none" stroke="url(#k)" stroke-width="14" stroke-linecap="round" d="M92 150c-14 14-18 40-14 72M308 150c14 14 18 40 14 72"/>
<path fill="url(#b)" d="M96 118h208c14 0 22 10 20 24l-6 44c-3 20-16 32-34 32h-28c-16 0-26-8-34-22-8-14-36-14-44 0-8 14-18 22-34 22h-28c-18 0-31-12-34-32l-6-44c-2-14 6-24 20-24z"/>
<path fill="url(#g)" d="M108 134h78c4 0 6 3 6 8-2 36-16 60-44 60h-24c-12 0-18-8-20-20l-5-36c-1-8 3-12 9-12zM292 134h-78c-4 0-6 3-6 8 2 36 16 60 44 60h24c12 0 18-8 20-20l5-36c1-8-3-12-9-12z"/>
<path fill="#fff" opacity=".6" d="M116 142h36l-34 46-6-34zM220 142h36l-30 44-8-30z"/>"##

"tape" ["tape", "adhesive", "strap", "sealing"] (196, 108) r##"
<path fill="{a}" d="M180 246h142l-8-9 8-9H180z"/>
<path fill="url(#a)" fill-rule="evenodd" d="M182 62a92 92 0 1 1 0 184 92 92 0 0 1 0-184zm0 44a48 48 0 1 0 0 96 48 48 0 0 0 0-96z"/>
<path fill="url(#c)" fill-rule="evenodd" d="M182 98a56 56 0 1 1 0 112 56 56 0 0 1 0-112zm0 12a44 44 0 1 0 0 88 44 44 0 0 0 0-88z"/>
<path fill="none" stroke="#fff" stroke-opacity=".3" stroke-width="10" d="M108 136a80 80 0 0 1 70-62"/><path fill="none" stroke="{k}" stroke-opacity=".12" stroke-width="2" d="M182 78a76 76 0 1 1-.1 0M182 86a68 68 0 1 1-.1 0"/>"##

"cable" ["cable", "wire", "cord", "hose", "extension", "electri", "adapter"] (196, 112) r##"
<g fill="none" stroke-linecap="round"><g stroke="{d}" stroke-width="17"><circle cx="180" cy="156" r="82"/><circle cx="180" cy="156" r="64"/></g><g stroke="url(#b)" stroke-width="14"><circle cx="180" cy="156" r="82"/><circle cx="180" cy="156" r="65"/><circle cx="180" cy="156" r="49"/><path d="M180 238c60 2 84-10 100-40"/></g><path stroke="#fff" stroke-opacity=".35" stroke-width="4" d="M104 132a80 80 0 0 1 60-56M122 138a62 62 0 0 1 44-42"/></g>
<path fill="url(#a)" d="M158 60h44v38h-44zM158 214h44v38h-44z" opacity=".95"/>
<g transform="rotate(32 292 178)"><path fill="url(#k)" d="M276 138h34c6 0 9 4 9 9v34c0 12-10 22-22 22h-8c-12 0-22-10-22-22v-34c0-5 3-9 9-9z"/><path fill="url(#m)" d="M278 112h8v28h-8zM300 112h8v28h-8z"/></g>"##

"lamp" ["lamp", "light", "led", "bulb", "torch", "luminaire"] (200, 112) r##"
<path fill="none" stroke="url(#a)" stroke-width="14" stroke-linejoin="round" stroke-linecap="round" d="M132 150l-28 92h192l-28-92"/>
<path fill="none" stroke="url(#k)" stroke-width="12" d="M160 66c0-26 80-26 80 0"/>
<rect x="100" y="64" width="200" height="124" rx="16" fill="url(#k)"/><rect x="116" y="80" width="168" height="92" rx="8" fill="#fff6d8"/><rect x="116" y="80" width="168" height="92" rx="8" fill="url(#y)"/>
<g fill="#fff"><circle cx="146" cy="106" r="9"/><circle cx="182" cy="106" r="9"/><circle cx="218" cy="106" r="9"/><circle cx="254" cy="106" r="9"/><circle cx="146" cy="146" r="9"/><circle cx="182" cy="146" r="9"/><circle cx="218" cy="146" r="9"/><circle cx="254" cy="146" r="9"/></g><path fill="#fff" opacity=".2" d="M108 72h184v4H108z"/>"##

"shelf" ["shelf", "shelv", "rack", "storage", "cabinet", "locker", "cupboard", "warehouse"] (200, 120) r##"
<g fill="url(#c)"><path d="M112 98h48v32h-48zM166 86h36v44h-36zM226 166h52v32h-52zM120 160h58v38h-58zM214 96h30v34h-30z"/></g><g fill="url(#b)"><rect x="250" y="94" width="30" height="36" rx="3"/><rect x="186" y="170" width="34" height="28" rx="3"/></g>
<path fill="{k}" opacity=".14" d="M112 98h48v5h-48zM166 86h36v5h-36zM226 166h52v5h-52zM120 160h58v5h-58z"/>
<path fill="url(#a)" d="M92 130h216v12H92zM92 198h216v12H92zM92 62h216v10H92z"/>
<path fill="url(#k)" d="M90 52h12v194H90zM298 52h12v194h-12z"/><path fill="#fff" opacity=".3" d="M92 54h3v190h-3zM300 54h3v190h-3z"/>"##

"mop" ["mop", "broom", "bucket", "brush", "janitor", "floor care"] (200, 116) r##"
<path stroke="url(#o)" stroke-width="11" stroke-linecap="round" d="M304 38l-52 130"/>
<path fill="url(#a)" d="M238 158l30 12-8 22-34-14z"/>
<path fill="url(#w)" d="M226 178l36 14c12 20 18 36 20 52-12 4-20 0-24-4-6 6-16 6-22 2-8 6-18 4-24-2-6 4-14 2-18-6 12-20 20-36 32-56z"/><path fill="none" stroke="{k}" stroke-opacity=".22" stroke-width="3" d="M232 184c-8 20-14 36-20 54M242 188c-2 18-4 34-6 52M252 192c4 18 6 30 8 46"/>
<path fill="url(#b)" d="M84 132h136l-14 104c-1 6-5 10-11 10h-86c-6 0-10-4-11-10z"/><path fill="{d}" d="M80 124h144c5 0 7 4 6 9s-4 9-9 9H83c-5 0-8-4-9-9s1-9 6-9z"/>
<path fill="none" stroke="url(#m)" stroke-width="5" d="M84 130c0-60 136-60 136 0"/><path fill="#fff" opacity=".25" d="M100 146h18l8 94h-14z"/>"##

"bottle" ["bottle", "clean", "spray", "detergent", "soap", "disinfect", "chemical", "lubricant", "paint", "oil", "hygiene"] (200, 62) r##"
<path fill="url(#k)" d="M182 92h36v24h-36z"/><path fill="url(#a)" d="M166 52h60c20 0 30 10 30 26 0 4-2 6-6 6h-20l-6 12h-50l-8-14c-4-4-8-8-8-16 0-8 3-14 8-14z"/><path fill="url(#k)" d="M140 56h22v18h-22c-3 0-5-2-5-5v-8c0-3 2-5 5-5z"/><path fill="url(#k)" d="M164 84h16c0 18-6 32-22 40l-4-6c8-10 10-20 10-34z"/>
<path fill="url(#b)" d="M178 112h44c4 16 28 20 28 46v74c0 9-5 14-14 14h-72c-9 0-14-5-14-14v-74c0-26 24-30 28-46z"/>
<path fill="url(#w)" d="M150 166h100v56H150z"/><path fill="url(#a)" d="M150 166h100v14H150z"/><path stroke="{k}" stroke-opacity=".35" stroke-width="5" stroke-linecap="round" d="M166 194h52M166 208h36"/><path fill="#fff" opacity=".3" d="M160 146c4-10 14-14 20-24h8c-6 14-14 18-16 40v80h-12z"/>"##

"flask" ["flask", "beaker", "lab", "science", "glassware"] (200, 76) r##"
<path fill="url(#g)" d="M170 60h60v62l58 98c8 14 0 26-14 26H126c-14 0-22-12-14-26l58-98z"/>
<path fill="url(#a)" d="M146 176h108l28 48c6 10 0 18-10 18H128c-10 0-16-8-10-18z" opacity=".9"/><ellipse cx="200" cy="176" rx="54" ry="9" fill="#fff" opacity=".35"/>
<path fill="none" stroke="#fff" stroke-opacity=".85" stroke-width="5" d="M170 60v62l-58 98c-8 14 0 24 14 24h148c14 0 22-10 14-24l-58-98V60"/><path fill="url(#w)" d="M160 50h80c5 0 8 3 8 7s-3 7-8 7h-80c-5 0-8-3-8-7s3-7 8-7z"/>
<path stroke="{k}" stroke-opacity=".4" stroke-width="4" stroke-linecap="round" d="M214 142h18M222 158h18M232 200h22"/><g fill="#fff" opacity=".6"><circle cx="176" cy="206" r="6"/><circle cx="196" cy="222" r="4"/><circle cx="190" cy="194" r="3.5"/></g>"##

"chair" ["chair", "seat", "stool", "furniture", "office"] (200, 86) r##"
<path fill="url(#k)" d="M193 184h14v34h-14z"/><path fill="none" stroke="url(#k)" stroke-width="10" stroke-linecap="round" d="M200 214l-64 18M200 214l64 18M200 214v22"/><g fill="{k}"><circle cx="134" cy="238" r="9"/><circle cx="266" cy="238" r="9"/><circle cx="200" cy="240" r="8"/></g>
<path fill="none" stroke="url(#k)" stroke-width="9" stroke-linecap="round" stroke-linejoin="round" d="M136 172v-34h24M264 172v-34h-24"/>
<path fill="url(#b)" d="M164 44h72c14 0 22 8 21 22l-6 80c-1 12-9 18-21 18h-60c-12 0-20-6-21-18l-6-80c-1-14 7-22 21-22z"/><path fill="{d}" opacity=".35" d="M160 112h80l-2 34c-1 6-5 10-11 10h-54c-6 0-10-4-11-10z"/>
<path fill="url(#b)" d="M144 162h112c12 0 18 7 18 15s-6 15-18 15H144c-12 0-18-7-18-15s6-15 18-15z"/><path fill="#fff" opacity=".25" d="M158 54h20l4 100h-14zM138 166h124v5H134z"/>"##

"paper" ["paper", "ream", "envelope", "notebook", "folder", "book", "stationer", "label roll"] (200, 122) r##"
<path fill="url(#w)" d="M200 118l122 48v30l-122 50-122-50v-30z"/><path fill="{k}" opacity=".1" d="M78 166l122 50v30L78 196z"/><path fill="{k}" opacity=".2" d="M322 166l-122 50v30l122-50z"/>
<path fill="url(#w)" d="M200 102l122 50-122 50L78 152z"/><path fill="none" stroke="{k}" stroke-opacity=".16" stroke-width="2" d="M78 160l122 50 122-50M78 168l122 50 122-50M78 176l122 50 122-50M78 184l122 50 122-50"/>
<path fill="url(#a)" d="M122 134l40-16 122 50-40 16zM244 184l40-16v44l-40 16z"/><path fill="{k}" opacity=".18" d="M244 184l40-16v44l-40 16z"/><path stroke="#fff" stroke-opacity=".8" stroke-width="5" stroke-linecap="round" d="M170 134l54 22M162 142l34 14"/>"##

"pen" ["pen", "marker", "highlighter", "writing", "pencil"] (206, 104) r##"
<g transform="rotate(-32 200 160)"><path fill="url(#b)" d="M78 146h170v34H78c-10 0-16-7-16-17s6-17 16-17z"/><path fill="url(#a)" d="M62 163c0-10 6-17 16-17h62v34H78c-10 0-16-7-16-17z"/><path fill="url(#k)" d="M248 146h32l36 12v10l-36 12h-32z"/><path fill="url(#m)" d="M316 157l26 6-26 6zM236 144h10v38h-10z"/><path fill="url(#m)" d="M74 138h90c4 0 6 2 6 5s-2 5-6 5H86v6H74z"/><path fill="#fff" opacity=".4" d="M142 150h104v6H142zM256 150h22l20 6h-42z"/></g>"##

"printer" ["label", "printer", "scanner", "barcode", "copier", "ink", "toner"] (200, 112) r##"
<path fill="url(#w)" d="M146 46h108v92H146z"/><path fill="{k}" opacity=".8" d="M162 64h4v34h-4zM170 64h8v34h-8zM182 64h3v34h-3zM190 64h9v34h-9zM204 64h3v34h-3zM212 64h8v34h-8zM224 64h4v34h-4zM232 64h6v34h-6z"/><path stroke="{k}" stroke-opacity=".35" stroke-width="5" stroke-linecap="round" d="M164 112h72"/>
<path fill="url(#b)" d="M116 128h168c14 0 24 9 25 23l5 77c1 12-5 18-17 18H103c-12 0-18-6-17-18l5-77c1-14 11-23 25-23z"/><path fill="{k}" opacity=".75" d="M132 124h136c4 0 6 3 6 6s-2 7-6 7H132c-4 0-6-3-6-7s2-6 6-6z"/>
<rect x="116" y="166" width="96" height="52" rx="7" fill="url(#k)"/><rect x="124" y="174" width="80" height="36" rx="3" fill="url(#g)"/><circle cx="250" cy="180" r="12" fill="url(#a)"/><circle cx="282" cy="180" r="7" fill="url(#w)"/><rect x="236" y="204" width="54" height="11" rx="5.5" fill="{d}" opacity=".6"/><path fill="#fff" opacity=".3" d="M116 132h30v4h-34z"/>"##

"toolbox" ["toolbox", "tool", "case", "kit"] (200, 122) r##"
<path fill="none" stroke="url(#k)" stroke-width="13" stroke-linejoin="round" d="M158 112V84c0-8 4-12 12-12h60c8 0 12 4 12 12v28"/>
<path fill="url(#b)" d="M98 106h204c10 0 16 6 16 16v108c0 10-6 16-16 16H98c-10 0-16-6-16-16V122c0-10 6-16 16-16z"/><path fill="{d}" opacity=".55" d="M82 158h236v9H82z"/><path fill="url(#a)" d="M132 146h32v32h-32zM236 146h32v32h-32z"/><path fill="#fff" opacity=".3" d="M98 110h204c6 0 10 3 12 8H86c2-5 6-8 12-8z"/><path fill="{d}" opacity=".35" d="M104 190h192v8H104zM104 210h192v8H104z"/>"##

"pipe" ["pipe", "valve", "plumb", "tap", "fitting", "pump"] (200, 108) r##"
<path fill="url(#m)" d="M82 170h104v52H82zM214 170h104v52H214z"/><path fill="url(#m)" d="M166 150h68c8 0 12 4 12 12v68c0 8-4 12-12 12h-68c-8 0-12-4-12-12v-68c0-8 4-12 12-12z"/>
<path fill="url(#k)" d="M78 160h20v72H78c-4 0-6-2-6-6v-60c0-4 2-6 6-6zM302 160h20c4 0 6 2 6 6v60c0 4-2 6-6 6h-20z"/><path fill="url(#m)" d="M188 108h24v44h-24z"/><path fill="url(#a)" d="M134 82h132c10 0 16 6 16 14s-6 14-16 14H134c-10 0-16-6-16-14s6-14 16-14z"/><path fill="#fff" opacity=".35" d="M102 176h200v7H102zM134 86h130v5H134z"/><circle cx="200" cy="196" r="18" fill="{k}" opacity=".25"/>"##

"phone" ["phone", "mobile", "smartphone", "cell", "prepaid", "sim", "galaxy", "iphone"] (200, 66) r##"
<rect x="140" y="42" width="120" height="204" rx="18" fill="url(#k)"/><rect x="147" y="50" width="106" height="188" rx="11" fill="url(#b)"/><path fill="url(#a)" opacity=".75" d="M147 178c30-30 66 10 106-30v79c0 7-4 11-11 11h-84c-7 0-11-4-11-11z"/><path fill="#fff" opacity=".2" d="M158 50h60l-71 118V61c0-7 4-11 11-11z"/><rect x="182" y="56" width="36" height="9" rx="4.5" fill="{k}"/><g fill="#fff" opacity=".9"><rect x="160" y="84" width="18" height="18" rx="5"/><rect x="191" y="84" width="18" height="18" rx="5"/><rect x="222" y="84" width="18" height="18" rx="5"/></g>"##

"tablet" ["tablet", "ipad", "reader", "laptop", "notebook comp", "macbook", "chromebook", "computer"] (200, 138) r##"
<path fill="url(#k)" d="M106 66h188c8 0 13 5 13 13v137H93V79c0-8 5-13 13-13z"/><path fill="url(#b)" d="M104 78h192v126H104z"/><path fill="url(#a)" opacity=".7" d="M104 164c52-38 110 22 192-32v72H104z"/><path fill="#fff" opacity=".18" d="M104 78h96l-96 100z"/><path fill="url(#m)" d="M70 216h260c3 0 5 2 5 5 0 14-9 25-24 25H89c-15 0-24-11-24-25 0-3 2-5 5-5z"/><path fill="{k}" opacity=".25" d="M166 216h68c-1 8-4 11-10 11h-48c-6 0-9-3-10-11z"/>"##

"screen" ["tv", "television", "monitor", "display", "projector", "hdtv", "lcd", "plasma"] (200, 108) r##"
<path fill="url(#m)" d="M184 206h32v26h-32z"/><path fill="url(#k)" d="M136 230h128c8 0 12 4 12 10 0 4-2 6-6 6H130c-4 0-6-2-6-6 0-6 4-10 12-10z"/><rect x="62" y="58" width="276" height="158" rx="10" fill="url(#k)"/><path fill="url(#b)" d="M72 68h256v138H72z"/><path fill="url(#a)" opacity=".7" d="M72 164c70-48 140 30 256-40v82H72z"/><circle cx="270" cy="100" r="16" fill="#fff" opacity=".75"/><path fill="#fff" opacity=".14" d="M72 68h130L72 190z"/>"##

"headphones" ["headphone", "headset", "earbud", "earphone", "hearing", "ear protection", "audio", "speaker", "sound", "stereo"] (200, 92) r##"
<path fill="none" stroke="url(#k)" stroke-width="16" stroke-linecap="round" d="M112 176c-4-160 180-160 176 0"/><path fill="none" stroke="#fff" stroke-opacity=".3" stroke-width="4" d="M110 160c2-124 120-140 164-60"/>
<rect x="94" y="152" width="42" height="90" rx="20" fill="url(#b)"/><rect x="264" y="152" width="42" height="90" rx="20" fill="url(#b)"/><rect x="126" y="158" width="26" height="78" rx="13" fill="url(#k)"/><rect x="248" y="158" width="26" height="78" rx="13" fill="url(#k)"/><rect x="104" y="176" width="9" height="42" rx="4.5" fill="url(#a)"/><rect x="287" y="176" width="9" height="42" rx="4.5" fill="url(#a)"/>"##

"camera" ["camera", "camcorder", "lens", "photo", "tripod"] (200, 122) r##"
<path fill="url(#k)" d="M160 88l12-22c2-4 5-6 10-6h40c5 0 8 2 10 6l12 22z"/><path fill="url(#b)" d="M98 84h204c12 0 18 7 18 18v126c0 11-6 18-18 18H98c-12 0-18-7-18-18V102c0-11 6-18 18-18z"/><path fill="url(#k)" d="M80 116h240v88H80z"/><circle cx="204" cy="162" r="66" fill="url(#m)"/><circle cx="204" cy="162" r="54" fill="{k}"/><circle cx="204" cy="162" r="36" fill="url(#g)"/><circle cx="204" cy="162" r="18" fill="url(#a)" opacity=".8"/><circle cx="190" cy="146" r="9" fill="#fff" opacity=".8"/><rect x="278" y="94" width="28" height="13" rx="4" fill="url(#a)"/><rect x="98" y="72" width="34" height="14" rx="5" fill="url(#m)"/>"##

"game" ["game", "gaming", "controller", "console", "playstation", "xbox", "nintendo", "wii", "psp", "toy"] (200, 122) r##"
<path fill="url(#b)" d="M132 96h136c40 0 62 30 68 80 4 36 0 66-24 68-24 2-36-44-60-44H148c-24 0-36 46-60 44-24-2-28-32-24-68 6-50 28-80 68-80z"/><path fill="{k}" opacity=".8" d="M122 128h16v18h18v16h-18v18h-16v-18h-18v-16h18z"/><g><circle cx="270" cy="130" r="10" fill="url(#a)"/><circle cx="294" cy="152" r="10" fill="url(#w)"/><circle cx="270" cy="174" r="10" fill="url(#a)"/><circle cx="246" cy="152" r="10" fill="url(#w)"/></g><circle cx="166" cy="186" r="18" fill="url(#k)"/><circle cx="232" cy="190" r="18" fill="url(#k)"/><path fill="#fff" opacity=".28" d="M132 100h136c18 0 32 6 42 18H90c10-12 24-18 42-18z"/>"##

"disc" ["dvd", "blu-ray", "cd", "compact disc", "vinyl", "movie", "music", "album", "vhs", "cassette", "season", "soundtrack"] (200, 120) r##"
<circle cx="252" cy="156" r="86" fill="url(#m)"/><path fill="#fff" opacity=".45" d="M252 156l56-66a86 86 0 0 1 26 40zM252 156l-40 76a86 86 0 0 0 44 10z"/><circle cx="252" cy="156" r="28" fill="#fff" opacity=".7"/><circle cx="252" cy="156" r="11" fill="{k}" opacity=".55"/>
<path fill="url(#k)" d="M92 56h134c5 0 8 3 8 8v174c0 5-3 8-8 8H92c-5 0-8-3-8-8V64c0-5 3-8 8-8z"/><path fill="url(#b)" d="M98 64h130v174H98z"/><path fill="url(#a)" opacity=".8" d="M98 168c40-40 84 20 130-30v100H98z"/><path stroke="#fff" stroke-opacity=".85" stroke-width="7" stroke-linecap="round" d="M114 88h72M114 106h44"/><path fill="#fff" opacity=".25" d="M86 60h6v182h-6z"/>"##

"appliance" ["appliance", "washing machine", "dryer", "refrigerator", "fridge", "oven", "dishwasher", "microwave", "range", "freezer", "vacuum", "kitchen", "coffee"] (200, 92) r##"
<rect x="118" y="48" width="164" height="198" rx="10" fill="url(#w)"/><path fill="{k}" opacity=".12" d="M118 94h164v3H118z"/><circle cx="200" cy="164" r="60" fill="url(#m)"/><circle cx="200" cy="164" r="46" fill="{k}"/><circle cx="200" cy="164" r="40" fill="url(#g)"/><path fill="url(#a)" opacity=".75" d="M160 172c22-18 52 14 80-6-2 22-18 38-40 38s-38-14-40-32z"/><circle cx="252" cy="72" r="11" fill="url(#b)"/><rect x="134" y="64" width="52" height="16" rx="4" fill="{k}" opacity=".75"/><path fill="#fff" opacity=".55" d="M172 138c8-8 18-12 28-12l-34 34c0-8 2-16 6-22z"/>"##

"box" ["box", "carton", "packag", "pallet", "shipping", "mailer"] (200, 112) r##"
<path fill="url(#c)" d="M92 116l108 44v92L92 206z"/><path fill="url(#c)" d="M308 116l-108 44v92l108-46z"/><path fill="{k}" opacity=".16" d="M308 116l-108 44v92l108-46z"/><path fill="url(#c)" d="M200 72l108 44-108 44-108-44z"/><path fill="#fff" opacity=".22" d="M200 72l108 44-108 44-108-44z"/>
<path fill="url(#a)" d="M136 98l20-8 108 44-20 8z"/><path fill="url(#a)" d="M244 142l20-8v34l-20 8z"/><path fill="{k}" opacity=".2" d="M244 142l20-8v34l-20 8z"/><path fill="url(#w)" d="M108 164l50 20v36l-50-20z"/><path stroke="{k}" stroke-opacity=".5" stroke-width="3.5" stroke-linecap="round" d="M116 177l32 13M116 187l22 9"/>"##
}
