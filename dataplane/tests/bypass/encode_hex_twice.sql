-- trick: hexadecimal of hexadecimal
-- expect: masked
-- unlabelled: out-of-reach
-- decode: hex-twice

select encode(encode(pan::bytea, 'hex')::bytea, 'hex') from cards
