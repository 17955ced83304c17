//go:build !purego

package cpu

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/testenv"
)

// An architecture is how its assembly is disassembled, and what that may contain.
type architecture struct {
	objdump []string
	// sets returns, for each instruction set, the processor features that its kernels may
	// use; other functions may use none.
	sets func(t *testing.T) map[string][]string
	// needs returns the feature that an instruction belongs to, or "" if every
	// processor has it, or that it is not known. code are its bytes in hexadecimal.
	needs func(code, mnemonic, operands string) (feature string, known bool)
}

var architectures = map[string]architecture{
	"amd64": {[]string{"objdump", "-M", "intel"}, setsAMD64, needsAMD64},
	"arm64": {[]string{"aarch64-linux-gnu-objdump"}, setsARM64, needsARM64},
}

// TestInstructions disassembles the machine code of every function in assembly: the kernels
// of an instruction set use no instruction that processors with that set may lack. The
// processor on which the tests run may have more features, and would not show it.
func TestInstructions(t *testing.T) {
	for goarch, arch := range architectures {
		t.Run(goarch, func(t *testing.T) {
			functions := disassemble(t, goarch, arch.objdump)
			sets := arch.sets(t)
			for _, name := range assemblyFunctions(t, goarch) {
				lines, ok := functions[name]
				if !ok {
					t.Errorf("%s is not in the program: nothing calls it", name)
					continue
				}
				features, ok := featuresOf(sets, name)
				if !ok {
					t.Errorf("%s is a function of no instruction set by its name", name)
				}
				for _, line := range lines {
					if feature, known := arch.needs(line.code, line.mnemonic, line.operands); !known {
						t.Errorf("%s: %v is not in the tables of this test; add the feature that it needs", name, line)
					} else if feature != "" && !contains(features, feature) {
						t.Errorf("%s: %v needs %s, but the instruction set asks the processor for %v", name, line, feature, features)
					}
				}
			}
		})
	}
}

type instruction struct{ code, mnemonic, operands string }

func (i instruction) String() string { return i.mnemonic + " " + i.operands }

// disassemble returns the instructions of the functions in assembly of this package,
// in a program for linux and goarch.
func disassemble(t *testing.T, goarch string, objdump []string) map[string][]instruction {
	t.Helper()
	if _, err := exec.LookPath(objdump[0]); err != nil {
		testenv.Lacking(t, "objdump, of binutils or binutils-aarch64-linux-gnu: %v", err)
	}
	testenv.NeedsGo(t)
	program := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "test", "-c", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+goarch)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build, err, out)
	}
	out, err := exec.Command(objdump[0], append(objdump[1:], "-d", "-z", "--insn-width=16", program)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	// What Go calls by the calling convention of assembly has a name of that kind.
	header := regexp.MustCompile(`^[0-9a-f]+ <github\.com/gmind-go/compute/cpu\.(\w+)\.abi0>:$`)
	functions := map[string][]instruction{}
	name := ""
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if m := header.FindStringSubmatch(line); m != nil {
			name = m[1]
		} else if line == "" {
			name = ""
		} else if name != "" {
			// ADDRESS:	CODE	MNEMONIC OPERANDS
			part := append(strings.SplitN(line, "\t", 3), "", "")
			mnemonic, operands, _ := strings.Cut(strings.ReplaceAll(part[2], "\t", " "), " ")
			functions[name] = append(functions[name], instruction{part[1], mnemonic, strings.TrimSpace(operands)})
		}
	}
	return functions
}

// assemblyFunctions returns the names of all functions in the sources for goarch.
func assemblyFunctions(t *testing.T, goarch string) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*_" + goarch + ".s")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, m := range regexp.MustCompile(`(?m)^TEXT ·(\w+)`).FindAllStringSubmatch(read(t, file), -1) {
			names = append(names, m[1])
		}
	}
	if len(names) < 7 { // six kernels and pause
		t.Fatalf("found %d functions in %v", len(names), files)
	}
	return names
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// featuresOf returns the features of the instruction set whose name a function ends in,
// before the NT of non-temporal stores.
func featuresOf(sets map[string][]string, function string) (features []string, ok bool) {
	if function == "pause" {
		return nil, true
	}
	for name, features := range sets {
		if strings.HasSuffix(strings.TrimSuffix(function, "NT"), strings.ToUpper(name)) {
			return features, true
		}
	}
	return nil, false
}

func contains(features []string, feature string) bool {
	return strings.Contains(" "+strings.Join(features, " ")+" ", " "+feature+" ")
}

// setsAMD64 reads what each instruction set asks the processor for, in the source.
func setsAMD64(t *testing.T) map[string][]string {
	sets := map[string][]string{}
	condition := regexp.MustCompile(`if (cpu\.X86\..*) \{\s+sets = append\(sets, (\w+)\)`)
	for _, m := range condition.FindAllStringSubmatch(read(t, "kernels_amd64.go"), -1) {
		for feature := range strings.SplitSeq(m[1], " && ") {
			feature = strings.TrimPrefix(feature, "cpu.X86.Has")
			sets[m[2]] = append(sets[m[2]], feature)
			switch feature { // and what it implies
			case "AVX512F":
				sets[m[2]] = append(sets[m[2]], "AVX2", "AVX")
			case "AVX2":
				sets[m[2]] = append(sets[m[2]], "AVX")
			}
		}
	}
	if len(sets) != 2 {
		t.Fatalf("found the conditions of the instruction sets %v and not of two", sets)
	}
	return sets
}

// The features that instructions belong to, after Intel's Software Developer's Manual,
// volume 2. The same one can be encoded in several ways, each with another feature.
var (
	// A processor that has no prefetchw does nothing.
	legacyAMD64 = words("add and bts cmp int3 je jg jge jl jmp jne lea mov pause prefetcht0 prefetcht1 prefetchw ret sfence shl shr sub test xor")
	vexAMD64    = map[string]map[string]bool{
		"AVX": words("vaddpd vaddps vandps vblendvpd vblendvps vbroadcastsd vbroadcastss vcmpeqps vcmple_oqps " +
			"vcmplt_oqps vcmpordps vcmpunordps vcvtdq2ps vcvtpd2ps vcvtps2pd vcvttps2dq vdivpd vdivps " +
			"vextractf128 vinsertf128 vmaskmovps vmaxps vminps vmovapd vmovaps vmovd vmovdqu vmovmskps vmovntps " +
			"vmovss vmovups vmulpd vmulps vorps vpermilps vroundps vsqrtps vsubpd vsubps vunpckhpd vunpckhps vunpcklpd vunpcklps vxorps vzeroupper"),
		"AVX2": words("vpaddd vpaddq vpand vpbroadcastb vpbroadcastd vpcmpeqd vpcmpgtd vpmovsxdq vpmulld vpor " +
			"vpslld vpsllq vpsllvd vpsrad vpsrld vpsrlq vpsrlvd vpsubd vpxor"),
		"FMA":     words("vfmadd231ps " + fusedDoubles),
		"BMI2":    words("bzhi"),
		"AVX512F": words("kandw kmovw knotw korw kshiftrw"),
	}
	evexAMD64 = map[string]map[string]bool{
		"AVX512F": words("vaddpd vaddps vblendmpd vbroadcastsd vbroadcastss vcmpeqps vcmple_oqps vcmplt_oqps " +
			"vcmpneqps vcmpnle_uqps vcmpnlt_uqps vcmpordps vcmpunordps vcvtpd2ps vcvtps2pd vcvttps2udq vcvtudq2ps " +
			"vdivpd vdivps vextractf64x4 vfmadd231ps vinsertf64x4 vmaxps vminps vmovapd vmovaps vmovdqa32 vmovntps " +
			"vmovupd vmovups vmulpd vmulps vpaddd vpaddq vpandd vpandq vpblendmd vpcmpequd vpcmpltud vpcmpnequd vpcmpnltud " +
			"vpermi2pd vpmulld vpord vporq vprold vpslld vpsllq vpsllvd vpsrld vpsrlq vpsrlvd vpsubd vptestmd " +
			"vinsertf32x4 vptestnmd vpxord vpxorq vrndscaleps vshuff32x4 vsqrtps vsubpd vsubps vunpckhpd vunpckhps vunpcklpd vunpcklps " + fusedDoubles),
	}
)

// fusedDoubles are the multiply-adds of float64.
const fusedDoubles = "vfmadd132pd vfmadd213pd vfmadd231pd vfmsub132pd vfmsub213pd vfmsub231pd " +
	"vfnmadd132pd vfnmadd213pd vfnmadd231pd vfnmsub132pd vfnmsub213pd vfnmsub231pd"

// broadcastRegister matches operands of instructions of AVX that take a register only with AVX2.
var broadcastRegister = regexp.MustCompile(`^[xy]mm\d+,xmm`)

func needsAMD64(code, mnemonic, operands string) (feature string, known bool) {
	var features map[string]map[string]bool
	switch {
	case strings.HasPrefix(code, "c4 "), strings.HasPrefix(code, "c5 "):
		features = vexAMD64
	case strings.HasPrefix(code, "62 "):
		if !strings.Contains(operands, "zmm") {
			return "AVX512VL", true
		}
		features = evexAMD64
	default:
		return "", legacyAMD64[mnemonic]
	}
	if strings.HasPrefix(mnemonic, "vbroadcasts") && broadcastRegister.MatchString(operands) {
		return "AVX2", true
	}
	for feature, mnemonics := range features {
		if mnemonics[mnemonic] {
			return feature, true
		}
	}
	return "", false
}

func setsARM64(*testing.T) map[string][]string { return map[string][]string{"neon": nil} }

var (
	// What every processor of ARMv8-A has, NEON among it.
	baseARM64 = words("add adds addv adrp and b.eq b.ge b.gt b.lt b.ne bif bit bsl cbz cmeq cmhi cmtst csel dup " +
		"eor ext fabs fadd fcmeq fcmge fcmgt fcmle fcmlt fcmp fcsel fcvtl fcvtl2 fcvtn fcvtn2 fcvtzu fdiv " +
		"fmax fmin fmla fmls fmov fmul fneg frintm frintn frintp frintz fsqrt fsub ld1 ldp ldr ldrh lsl lsr mov " +
		"movk mul mvn neg orr prfm ret sbfx shl sri st1 stp str strh stur sub subs tst ucvtf udf ushl " +
		"ushr yield zip1 zip2")
	sveARM64  = regexp.MustCompile(`\b[zp][0-9]`)
	halfARM64 = regexp.MustCompile(`\.[48]h|\bh[0-9]`)
)

// needsARM64 distinguishes instructions of the same name by their registers.
func needsARM64(_, mnemonic, operands string) (feature string, known bool) {
	switch {
	case sveARM64.MatchString(operands):
		return "SVE", true
	case strings.HasPrefix(mnemonic, "f") && halfARM64.MatchString(operands):
		return "FP16", true
	}
	return "", baseARM64[mnemonic]
}

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}
