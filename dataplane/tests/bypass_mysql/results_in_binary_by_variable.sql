-- trick: a variable's value, in characters that nothing tells
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: hex-digits

select max(convert(pan using utf32)) into @a from cards

set character_set_results = binary

select @a
