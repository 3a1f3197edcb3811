-- trick: every digit the next one
-- expect: masked
-- unlabelled: out-of-reach
-- decode: translated:1234567890

select translate(pan, '0123456789', '1234567890') from cards
