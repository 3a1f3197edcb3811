-- trick: in base64
-- expect: masked
-- unlabelled: out-of-reach
-- decode: base64

select to_base64(pan) from cards
