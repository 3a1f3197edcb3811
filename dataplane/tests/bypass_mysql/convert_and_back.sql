-- trick: in another encoding and back
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select convert(convert(pan using utf16) using utf8mb4), convert(pan using latin1) from cards
