(* Which languages are claimed?

   Each is a machine whose answer after a prefix is, in prediction, which symbols may come next and, last, whether the
   prefix is a word (EOS).  [recogniser] makes of such a machine the one that only says whether the prefix is a word, and
   goes on after every prefix.  What is proved of a model is proved of these definitions, so they are short. *)
From Verify Require Import SSM.
Require Import ZArith List Bool Lia Arith.
Import ListNotations.
Open Scope nat_scope.

Definition is_some {A} (x : option A) : bool := match x with Some _ => true | None => false end.

(* -- recognition ---------------------------------------------------------------------------------------------------- *)

(* None: no word begins like this. *)
Definition recogniser (M : machine) : machine := Machine (option (state M)) (Some first)
  (fun q a => Some (match q with Some q => next q a | None => None end))
  (fun q => [match q with Some q => last (answer q) false | None => false end]).

(* -- finite automata ------------------------------------------------------------------------------------------------ *)

(* States are 0, 1, ..; row q of the table has the next state for each symbol. *)
Section Automaton.
Variables (table : list (list nat)) (accepting : list bool) (initial : nat).
(* The states from which some word is accepted in at most [rounds] symbols; as many rounds as states find all of them. *)
Fixpoint live_within (rounds : nat) : list bool :=
  match rounds with
  | O => accepting
  | S r => let live := live_within r in
           map (fun row_and_live => snd row_and_live || existsb (fun t => nth t live false) (fst row_and_live)) (combine table live)
  end.
Definition live : list bool := live_within (length table).
Definition dfa_next (alive : list bool) (q a : nat) : option nat :=
  match nth_error (nth q table []) a with Some t => if nth t alive false then Some t else None | None => None end.
Definition dfa_answer (alive : list bool) (q : nat) : list bool :=
  map (fun t => nth t alive false) (nth q table []) ++ [nth q accepting false].
Definition dfa : machine := let alive := live in Machine nat initial (dfa_next alive) (dfa_answer alive).
End Automaton.

(* -- the flip-flop -------------------------------------------------------------------------------------------------- *)

(* Symbols w r i 0 1 (0 .. 4): an instruction and a bit alternate, the first instruction is w, and the bit after r is the
   bit after the last w.  State: the instruction that waits for its bit, and the bit stored. *)
Inductive instruction := W | R | I.
Definition flip_state : Type := option instruction * option bool.
Definition flip_next (s : flip_state) (a : nat) : option flip_state :=
  match s, a with
  | (None, _), 0 => Some (Some W, None)                       (* the bit stored before will be overwritten *)
  | (None, Some b), 1 => Some (Some R, Some b)
  | (None, Some b), 2 => Some (Some I, Some b)
  | (Some W, _), 3 => Some (None, Some false)
  | (Some W, _), 4 => Some (None, Some true)
  | (Some I, b), 3 | (Some I, b), 4 => Some (None, b)
  | (Some R, Some false), 3 => Some (None, Some false)
  | (Some R, Some true), 4 => Some (None, Some true)
  | _, _ => None
  end.
Definition flip_answer (s : flip_state) : list bool :=
  map (fun a => is_some (flip_next s a)) (seq 0 5) ++ [negb (is_some (fst s))].
Definition flip_flop : machine := Machine flip_state (None, None) flip_next flip_answer.

(* -- bounded Dyck languages ----------------------------------------------------------------------------------------- *)

(* Dyck(k, h): balanced brackets of k types, at most h deep.  Symbol 2 i opens type i, 2 i + 1 closes it.  The state is the
   stack of the types of the open brackets, the last one first. *)
Section Dyck.
Variables k h : nat.
Definition dyck_next (s : list nat) (a : nat) : option (list nat) :=
  let i := Nat.div2 a in
  if negb (i <? k) then None
  else if Nat.even a then if length s <? h then Some (i :: s) else None
  else match s with t :: s => if t =? i then Some s else None | [] => None end.
Definition dyck_answer (s : list nat) : list bool :=
  map (fun a => is_some (dyck_next s a)) (seq 0 (2 * k)) ++ [match s with [] => true | _ => false end].
Definition dyck : machine := Machine (list nat) [] dyck_next dyck_answer.

(* The answers are what "may come next" means: some word of the language goes on like this. *)
Definition from (s : list nat) (w : list nat) : option (list nat) :=
  fold_left (fun q a => match q with Some q => dyck_next q a | None => None end) w (Some s).
Lemma close_all s : Forall (fun t => t < k) s -> from s (map (fun t => S (2 * t)) s) = Some [].
Proof.
  unfold from; induction s as [|t s IH]; intro H; [reflexivity|]. inversion H; subst.
  change (map _ (t :: s)) with (S (2 * t) :: map (fun t => S (2 * t)) s). cbn [fold_left].
  unfold dyck_next at 2. rewrite Nat.div2_succ_double.
  replace (t <? k) with true by (symmetry; apply Nat.ltb_lt; assumption). cbn [negb].
  replace (Nat.even (S (2 * t))) with false by (rewrite Nat.even_succ, Nat.odd_mul; reflexivity).
  rewrite Nat.eqb_refl. apply IH; assumption.
Qed.
Lemma dyck_types s a q : Forall (fun t => t < k) s -> dyck_next s a = Some q -> Forall (fun t => t < k) q.
Proof.
  unfold dyck_next; intros H. destruct (Nat.div2 a <? k) eqn:E; [|discriminate]. apply Nat.ltb_lt in E. cbn [negb].
  destruct (Nat.even a).
  - destruct (length s <? h); [|discriminate]. intro X; injection X as <-. constructor; assumption.
  - destruct s as [|t s]; [discriminate|]. destruct (t =? Nat.div2 a); [|discriminate].
    intro X; injection X as <-. inversion H; assumption.
Qed.
Theorem dyck_legal s a : Forall (fun t => t < k) s -> is_some (dyck_next s a) = true <-> exists v, from s (a :: v) = Some [].
Proof.
  intro H. destruct (dyck_next s a) as [q|] eqn:E; unfold from; cbn [fold_left]; rewrite E; cbn [is_some].
  - split; [intros _|reflexivity]. exists (map (fun t => S (2 * t)) q). apply close_all. eapply dyck_types; eassumption.
  - split; [discriminate|]. intros [v X]. exfalso; clear -X. induction v as [|b v IH]; cbn in X; [discriminate|auto].
Qed.
End Dyck.

(* -- counter machines ----------------------------------------------------------------------------------------------- *)

(* A finite control and counters that are natural numbers.  A move is for one control and one symbol, asks of some counters
   that they are zero or positive, and adds to each counter.  What has no move is dead. *)
Inductive sign := Zero | Positive.
Record move := Move { control : nat; symbol : nat; tests : list (nat * sign); target : nat; amounts : list Z }.

Section CounterMachine.
Variables (symbols : nat) (initial : nat * list Z) (moves : list move) (accepting : list (nat * list (nat * sign))).
Definition passes (counters : list Z) (test : nat * sign) : bool :=
  let value := nth (fst test) counters 0%Z in match snd test with Zero => (value =? 0)%Z | Positive => (0 <? value)%Z end.
Definition applies (s : nat * list Z) (a : nat) (m : move) : bool :=
  (control m =? fst s) && (symbol m =? a) && forallb (passes (snd s)) (tests m).
Definition add (counters amounts : list Z) : list Z := map (fun p => fst p + snd p)%Z (combine counters amounts).
Definition counter_next (s : nat * list Z) (a : nat) : option (nat * list Z) :=
  match find (applies s a) moves with Some m => Some (target m, add (snd s) (amounts m)) | None => None end.
Definition counter_accepts (s : nat * list Z) : bool :=
  existsb (fun t => (fst t =? fst s) && forallb (passes (snd s)) (snd t)) accepting.
Definition counter_answer (s : nat * list Z) : list bool :=
  map (fun a => is_some (counter_next s a)) (seq 0 symbols) ++ [counter_accepts s].
Definition counter_machine : machine := Machine (nat * list Z) initial counter_next counter_answer.
End CounterMachine.

(* v at place i, 0 at the other ones of 0 .. k - 1 *)
Definition only (k i : nat) (v : Z) : list Z := map (fun j => if j =? i then v else 0%Z) (seq 0 k).

(* Shuffles of k languages of balanced brackets; symbol 2 i opens type i, 2 i + 1 closes it; Dyck-1 is shuffle 1.
   Counter i: how many brackets of type i are open. *)
Definition shuffle (k : nat) : machine := counter_machine (2 * k) (0, repeat 0%Z k)
  (flat_map (fun i => [Move 0 (2 * i) [] 0 (only k i 1); Move 0 (2 * i + 1) [(i, Positive)] 0 (only k i (-1))]) (seq 0 k))
  [(0, map (fun i => (i, Zero)) (seq 0 k))].

(* Boolean expressions in prefix notation: symbols 0 .. n - 1 are operators of arity 1 .. n, then two operands.
   The counter: how many expressions are still to come. *)
Definition boolean (n : nat) : machine := counter_machine (n + 2) (0, [1%Z])
  (map (fun i => Move 0 i [(0, Positive)] 0 [Z.of_nat i]) (seq 0 n) ++ map (fun i => Move 0 i [(0, Positive)] 0 [(-1)%Z]) [n; n + 1])
  [(0, [(0, Zero)])].

(* Runs of l letters, all as long as each other and not empty: a^n b^n is equal_runs 2.  Counter i: how many of letter i are
   not matched by letter i + 1 yet.  Control 0: nothing was read; control i + 1: we are in the run of letter i. *)
Definition equal_runs (l : nat) : machine := counter_machine l (0, repeat 0%Z (l - 1))
  ([Move 0 0 [] 1 (only (l - 1) 0 1); Move 1 0 [] 1 (only (l - 1) 0 1)]
   ++ flat_map (fun i =>                                   (* letter i + 1 needs a letter i, and all letters i - 1 matched *)
        let needed := (i, Positive) :: match i with O => [] | S j => [(j, Zero)] end in
        let change := add (only (l - 1) i (-1)) (only (l - 1) (i + 1) 1) in
        [Move (i + 1) (i + 1) needed (i + 2) change; Move (i + 2) (i + 1) needed (i + 2) change]) (seq 0 (l - 1)))
  [(l, [(l - 2, Zero)])].

Print Assumptions dyck_legal.
