-- trick: in UTF-32
-- expect: masked
-- unlabelled: out-of-reach
-- decode: hex-digits

select cast(convert(pan using utf32) as binary) from cards
