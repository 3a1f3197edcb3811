-- trick: TABLE
-- expect: masked
-- unlabelled: masked
-- decode: digits

table cards
