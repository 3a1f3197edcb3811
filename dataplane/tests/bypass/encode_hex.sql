-- trick: hexadecimal text
-- expect: masked
-- unlabelled: out-of-reach
-- decode: hex

select encode(pan::bytea, 'hex') from cards
