-- trick: each digit as a sign of punctuation, in an array
-- expect: masked
-- unlabelled: out-of-reach
-- decode: translated:!@#$%^&~()

select array[translate(pan, '0123456789', '!@#$%^&~()')] from cards where id = 1
