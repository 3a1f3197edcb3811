-- trick: in UTF-16
-- expect: masked
-- unlabelled: out-of-reach
-- decode: hex-digits

select hex(convert(pan using utf16)), cast(convert(pan using utf16) as binary) from cards
