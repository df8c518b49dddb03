//! Word forms, antonyms, synonyms and derived words.

/// `infinitive=past`, for verbs with a single past form.
pub(in crate::suite) const VERBS: &str = "\
    arrive=arrived, begin=began, believe=believed, bring=brought, build=built, buy=bought,
    call=called, carry=carried, catch=caught, choose=chose, close=closed, come=came, count=counted,
    cry=cried, dance=danced, draw=drew, drink=drank, drive=drove, eat=ate, explain=explained,
    fall=fell, feel=felt, find=found, fly=flew, forget=forgot, freeze=froze, give=gave, go=went,
    grow=grew, hear=heard, help=helped, hide=hid, hold=held, keep=kept, know=knew, laugh=laughed,
    leave=left, live=lived, lose=lost, make=made, meet=met, open=opened, paint=painted, play=played,
    run=ran, say=said, see=saw, sell=sold, send=sent, shake=shook, sing=sang, sit=sat, sleep=slept,
    speak=spoke, stand=stood, steal=stole, stop=stopped, swim=swam, take=took, talk=talked,
    teach=taught, tell=told, think=thought, throw=threw, try=tried, visit=visited, wait=waited,
    walk=walked, wash=washed, watch=watched, wear=wore, win=won, work=worked, write=wrote";

/// `word=antonym`, for words with an obvious antonym.
pub(in crate::suite) const ANTONYMS: &str = "\
    hot=cold, big=small, up=down, open=closed, day=night, black=white, rich=poor, fast=slow,
    young=old, happy=sad, early=late, full=empty, heavy=light, wet=dry, clean=dirty, strong=weak,
    high=low, inside=outside, left=right, love=hate, war=peace, begin=end, push=pull, give=take,
    buy=sell, win=lose, true=false, first=last, north=south, east=west, long=short, wide=narrow,
    thick=thin, loud=quiet, hard=soft, deep=shallow, sweet=bitter, alive=dead, asleep=awake,
    always=never, above=below, before=after, success=failure, arrive=depart, accept=refuse,
    attack=defend, ancient=modern, cheap=expensive, brave=cowardly, polite=rude, guilty=innocent,
    public=private, maximum=minimum, increase=decrease, remember=forget, friend=enemy,
    victory=defeat, entrance=exit, question=answer, smooth=rough, sharp=blunt, near=far, top=bottom,
    front=back, male=female";

/// `singular=plural`.
pub(in crate::suite) const PLURALS: &str = "\
    cat=cats, house=houses, box=boxes, child=children, mouse=mice, foot=feet, tooth=teeth, man=men,
    woman=women, goose=geese, knife=knives, wife=wives, leaf=leaves, wolf=wolves, shelf=shelves,
    city=cities, baby=babies, lady=ladies, country=countries, berry=berries, bus=buses,
    glass=glasses, church=churches, watch=watches, brush=brushes, dish=dishes, fox=foxes,
    tomato=tomatoes, potato=potatoes, hero=heroes, photo=photos, piano=pianos, boy=boys, key=keys,
    toy=toys, day=days, monkey=monkeys, ox=oxen, tree=trees, table=tables, letter=letters,
    window=windows, teacher=teachers, garden=gardens, river=rivers, loaf=loaves, thief=thieves,
    half=halves, calf=calves, story=stories, party=parties, family=families, class=classes,
    bridge=bridges, crisis=crises, bench=benches, match=matches, bush=bushes, tax=taxes,
    prize=prizes";

/// `adjective=comparative superlative`.
pub(in crate::suite) const DEGREES: &str = "\
    big=bigger biggest, small=smaller smallest, tall=taller tallest, short=shorter shortest,
    old=older oldest, young=younger youngest, fast=faster fastest, slow=slower slowest,
    good=better best, bad=worse worst, happy=happier happiest, easy=easier easiest,
    heavy=heavier heaviest, light=lighter lightest, hot=hotter hottest, cold=colder coldest,
    warm=warmer warmest, cool=cooler coolest, strong=stronger strongest, weak=weaker weakest,
    rich=richer richest, poor=poorer poorest, clean=cleaner cleanest, dirty=dirtier dirtiest,
    long=longer longest, wide=wider widest, deep=deeper deepest, high=higher highest,
    low=lower lowest, thin=thinner thinnest, thick=thicker thickest, fat=fatter fattest,
    large=larger largest, nice=nicer nicest, brave=braver bravest, safe=safer safest,
    dark=darker darkest, bright=brighter brightest, loud=louder loudest, soft=softer softest,
    hard=harder hardest, cheap=cheaper cheapest, new=newer newest, busy=busier busiest,
    funny=funnier funniest, ugly=uglier ugliest, lucky=luckier luckiest, wet=wetter wettest,
    sweet=sweeter sweetest, kind=kinder kindest";

/// `verb=agent`, such as `bake=baker`.
pub(in crate::suite) const AGENTS: &str = "\
    teach=teacher, sing=singer, write=writer, drive=driver, bake=baker, paint=painter, dance=dancer,
    run=runner, swim=swimmer, win=winner, read=reader, act=actor, sail=sailor, invent=inventor,
    direct=director, edit=editor, visit=visitor, conduct=conductor, collect=collector,
    create=creator, build=builder, farm=farmer, hunt=hunter, lead=leader, play=player,
    speak=speaker, work=worker, clean=cleaner, climb=climber, design=designer, fight=fighter,
    help=helper, hike=hiker, jump=jumper, listen=listener, manage=manager, own=owner,
    produce=producer, report=reporter, ride=rider, rob=robber, sculpt=sculptor,
    translate=translator, train=trainer, travel=traveller, buy=buyer, sell=seller, print=printer,
    publish=publisher, dream=dreamer";

/// `adjective=noun`.
pub(in crate::suite) const QUALITIES: &str = "\
    happy=happiness, sad=sadness, dark=darkness, kind=kindness, weak=weakness, ill=illness,
    lonely=loneliness, lazy=laziness, ugly=ugliness, fit=fitness, strong=strength, long=length,
    wide=width, deep=depth, high=height, warm=warmth, true=truth, young=youth, free=freedom,
    wise=wisdom, bored=boredom, honest=honesty, poor=poverty, curious=curiosity,
    generous=generosity, popular=popularity, similar=similarity, possible=possibility, able=ability,
    real=reality, safe=safety, loyal=loyalty, cruel=cruelty, certain=certainty,
    difficult=difficulty, brave=bravery, angry=anger, proud=pride, hungry=hunger, thirsty=thirst,
    beautiful=beauty, patient=patience, silent=silence, absent=absence, distant=distance,
    important=importance, intelligent=intelligence, violent=violence, jealous=jealousy,
    accurate=accuracy";

/// `male=female`.
pub(in crate::suite) const GENDERS: &str = "\
    king=queen, prince=princess, actor=actress, waiter=waitress, father=mother, brother=sister,
    son=daughter, uncle=aunt, nephew=niece, husband=wife, grandfather=grandmother,
    grandson=granddaughter, stepfather=stepmother, man=woman, boy=girl, gentleman=lady,
    hero=heroine, host=hostess, god=goddess, duke=duchess, emperor=empress, baron=baroness,
    count=countess, heir=heiress, lion=lioness, tiger=tigress, bull=cow, rooster=hen, stallion=mare,
    ram=ewe, wizard=witch, monk=nun, bachelor=spinster, widower=widow, landlord=landlady,
    steward=stewardess, priest=priestess, policeman=policewoman, salesman=saleswoman,
    chairman=chairwoman, businessman=businesswoman, spokesman=spokeswoman, bridegroom=bride,
    stepson=stepdaughter, godfather=godmother, fireman=firewoman, drake=duck, gander=goose";

/// `word=synonym`.
pub(in crate::suite) const SYNONYMS: &str = "\
    big=large, small=little, happy=glad, begin=start, end=finish, fast=quick, smart=clever,
    angry=mad, rich=wealthy, sick=ill, scared=afraid, quiet=silent, difficult=hard, simple=easy,
    beautiful=pretty, buy=purchase, help=assist, answer=reply, choose=select, build=construct,
    shout=yell, close=shut, jump=leap, gift=present, error=mistake, car=automobile, house=home,
    rock=stone, road=street, child=kid, doctor=physician, autumn=fall, ocean=sea, forest=woods,
    job=work, idea=thought, rubbish=trash, photograph=picture, pupil=student, law=rule, odd=strange,
    tidy=neat, whole=entire, right=correct, wrong=incorrect, show=display, allow=permit,
    ask=inquire, get=obtain, try=attempt, repair=fix, hide=conceal, empty=vacant, brave=courageous";
