-- trick: base64
-- expect: masked
-- unlabelled: out-of-reach
-- decode: base64

select encode(pan::bytea, 'base64') from cards
