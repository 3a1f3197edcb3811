-- trick: encoded by a password
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select hex(encode(pan, 'k')) from cards
