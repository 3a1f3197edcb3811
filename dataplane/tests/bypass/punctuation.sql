-- trick: each digit as a sign of punctuation
-- expect: masked
-- unlabelled: out-of-reach
-- decode: translated:!@#$%^&~()

select translate(pan, '0123456789', '!@#$%^&~()') from cards where id = 1
